import pytest

from preimage.network.spec import ReconstructConfig
from preimage.sweeps.grid import Execution, SweepConfig

GRID = SweepConfig(
    layer=("conv1",),
    pooled=True,
    width=(2, 3),
    head=("conv", "mean"),
    unpool=("zeros", "nearest"),
    networks=2,
    size=32,
)


def test_cells_are_the_grid_in_order() -> None:
    cells = GRID.cells()
    assert [(c.unpool, c.width, c.head, c.network_number) for c in cells[:5]] == [
        ("zeros", 2, "conv", 0),
        ("zeros", 2, "conv", 1),
        ("zeros", 2, "mean", 0),
        ("zeros", 2, "mean", 1),
        ("zeros", 3, "conv", 0),
    ]
    assert len(set(cells)) == 16
    assert SweepConfig(width=(4, 4), networks=1).cells() == [
        ReconstructConfig(width=4, network_number=0)
    ]


def test_a_list_without_values_takes_the_architectures_own_or_is_refused() -> None:
    (cell,) = SweepConfig(width=(), kernel_size=(), networks=1).cells()
    assert (cell.width, cell.kernel_size) == (None, None)
    with pytest.raises(ValueError, match="`layer` needs at least one value"):
        SweepConfig(layer=()).cells()


def test_values_that_do_not_fit_are_refused_before_any_work() -> None:
    with pytest.raises(ValueError, match="`layer` must be one of"):
        SweepConfig(layer=("conv1", "conv9")).cells()
    with pytest.raises(ValueError, match="`networks` must be an integer from 1 on, got 0"):
        SweepConfig(networks=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "`workers` must be an integer from 1 to 1024, got 0"),
        ({"threads": 0}, "`threads` must be an integer from 1 to 1024, got 0"),
        ({"max_minutes": 0.0}, r"`max_minutes` must be a number above 0, got 0\.0"),
    ],
)
def test_execution_checks_its_numbers(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Execution(**options)  # type: ignore[arg-type]
