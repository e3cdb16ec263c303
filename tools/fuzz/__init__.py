"""Wrong bytes into every verb that reads a file, and what came of them."""
