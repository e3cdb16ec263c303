"""The page of `preimage serve`: it parses a request, makes one call of the library, renders."""
