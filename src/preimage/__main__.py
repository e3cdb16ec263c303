"""`python -m preimage`."""

import sys

from preimage.cli import main

sys.exit(main())
