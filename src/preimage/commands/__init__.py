"""One module a verb of the command line, each with `run(config) -> exit code`."""
