"""`preimage` in the process of the test."""

from preimage.app.cli.main import main


def run(*arguments: str) -> int:
    """Runs a command line and returns its exit code."""
    return main(arguments)
