"""Small models are drawn by torch's own layers: the same draw whatever PREIMAGE_TEST_SEED is."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _same_draw(_same_randomness: None) -> None:
    torch.manual_seed(0)
