"""`python -m preimage`, and the installed command."""

import sys


def main() -> int:
    """Runs the command line; Ctrl-C is answered alike from the first import on."""
    try:
        from preimage.app.cli import main as cli

        return cli.main()
    except KeyboardInterrupt:
        print("preimage: interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":  # worker processes import this file too
    sys.exit(main())
