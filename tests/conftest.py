"""Shapes in annotations are checked during the tests, and nowhere else."""

import jaxtyping

jaxtyping.install_import_hook("preimage", "beartype.beartype")
