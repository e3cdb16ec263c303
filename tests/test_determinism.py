"""What `benchmarks/RESULTS-determinism.md` promises of threads, batches and instruction sets."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

FILE = Path(__file__).parents[1] / "benchmarks" / "determinism.py"
EXACT = ["random weights", "features", "random CNN-DCN", "infinite-width limit"]
FITTED = "least-squares decoder"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("determinism", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["determinism"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(benchmark: ModuleType) -> dict[str, dict[str, torch.Tensor]]:
    return {kind: benchmark.KINDS[kind](4) for kind in [*EXACT, FITTED]}


@pytest.mark.parametrize("kind", [*EXACT, FITTED])
@pytest.mark.usefixtures("two_threads")
def test_threads_change_no_bit(
    benchmark: ModuleType, whole: dict[str, dict[str, torch.Tensor]], kind: str
) -> None:
    assert benchmark.compared(benchmark.KINDS[kind](4), whole[kind]) == "same bits"


@pytest.mark.parametrize("kind", EXACT)
def test_batches_change_no_bit(
    benchmark: ModuleType, whole: dict[str, dict[str, torch.Tensor]], kind: str
) -> None:
    assert benchmark.compared(benchmark.KINDS[kind](8), whole[kind]) == "same bits"


def test_batches_move_a_fit_by_rounding(
    benchmark: ModuleType, whole: dict[str, dict[str, torch.Tensor]]
) -> None:
    assert float(benchmark.compared(benchmark.KINDS[FITTED](8), whole[FITTED])) < 1e-3


def test_batches_move_a_probe_by_rounding(benchmark: ModuleType) -> None:
    """The channels' scale is that of the first eight photos, in one batch or in four."""
    two, eight = (benchmark.KINDS["probe, PSNR"](batch) for batch in (2, 8))
    for name, values in two.items():
        torch.testing.assert_close(values, eight[name], rtol=0, atol=1e-3)  # dB


def test_an_older_instruction_set_moves_features_by_rounding(
    benchmark: ModuleType, whole: dict[str, dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    old = benchmark.Setting("default", environment={"ATEN_CPU_CAPABILITY": "default"})
    found = benchmark.compute("features", old, tmp_path)
    result = benchmark.compared(found, whole["features"])
    assert result == "same bits" or float(result) < 1e-4
