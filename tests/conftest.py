"""Shapes in annotations are checked while the tests run; each worker computes on one thread.

Every test, and every example that Hypothesis draws, begins with the same state of the three
global generators: torch's, NumPy's and Python's. The last one matters although no test draws from
it: beartype looks at one random item of a tuple or list. PREIMAGE_TEST_SEED changes the state, so
that `tools/repeat_tests.py` can show that no test hangs on it.
"""

import jaxtyping

jaxtyping.install_import_hook("preimage", "beartype.beartype")

import gc  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, register_random, settings  # noqa: E402

# What importing makes stays until the end: to look for rubbish among it takes a tenth of the time.
gc.disable()
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start
# The same cases on every machine: nobody's downloaded weights, terminal or graphics card.
os.environ["TORCH_HOME"] = str(Path(__file__).parent / "nowhere")
os.environ["COLUMNS"] = "100"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# A machine may stall for seconds; what matters is the answer. The examples are a function of the
# test: `--hypothesis-profile=random --hypothesis-seed=N` draws others.
QUIET = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("random", QUIET)
settings.register_profile("quiet", QUIET, derandomize=True)
settings.load_profile("quiet")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


class TorchRandom:
    """torch's generator as Hypothesis wants it; NumPy's and Python's it knows by itself."""

    seed = staticmethod(torch.manual_seed)
    getstate = staticmethod(torch.get_rng_state)
    setstate = staticmethod(torch.set_rng_state)


TORCH_RANDOM = TorchRandom()  # Hypothesis keeps a weak reference only
register_random(TORCH_RANDOM)


@pytest.fixture(autouse=True)
def _same_randomness() -> None:
    seed = int(os.environ.get("PREIMAGE_TEST_SEED", "0"))
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def no_hint_checks() -> Iterator[None]:
    """What a user has: no checks of hints, so that the package's own messages are seen."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
