"""Shapes in annotations are checked while the tests run; each worker computes on one thread."""

import jaxtyping

jaxtyping.install_import_hook("preimage", "beartype.beartype")

import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start
# A machine may stall for seconds; what matters is the answer.
settings.register_profile("quiet", deadline=None, print_blob=True)
settings.load_profile("quiet")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def no_hint_checks() -> Iterator[None]:
    """What a user has: no checks of hints, so that the package's own messages are seen."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def more_photos() -> list[Path]:
    """Real photos for development, where a checkout has them beside it; else none."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "imagenet_sample" / "val"
    return sorted(folder.glob("**/*.[jJ]*"))[:20]
