"""The command line, a file per verb: parse, one call, print."""
