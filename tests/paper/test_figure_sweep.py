from pathlib import Path

import pytest

from preimage.paper import registry
from preimage.paper.finding import Incomplete
from preimage.paper.options import FigureOptions
from preimage.sweeps.grid import Execution


def test_time_is_up(tmp_path: Path, small: None) -> None:
    options = FigureOptions(
        figure="fig10", networks=3, out=str(tmp_path), execution=Execution(max_minutes=1e-9)
    )
    with pytest.raises(Incomplete, match="18 of 18 cells are missing") as stopped:
        registry.run(options)
    assert stopped.value.findings == []


def test_core_seconds_are_those_of_the_cells(section4, small: None) -> None:
    """A figure from finished cells says what they took, not what reading them takes."""
    from preimage.paper import kernel_size
    from preimage.paper.figure_sweep import figure_photos, finish
    from preimage.sweeps.photos import PackedPhotos
    from preimage.sweeps.run import Results
    from preimage.sweeps.store import Store

    seconds = section4("fig10")["fig10"].seconds
    options = FigureOptions(figure="fig10", networks=4, out=str(section4.folder))
    photos = PackedPhotos.pack(figure_photos(options))
    store = Store(section4.folder / "kernel_size")
    cells = kernel_size.grid(options).cells()
    assert seconds == pytest.approx(sum(store.core_seconds(cell, photos) for cell in cells))
    assert seconds > 0
    # So does one that was stopped.
    rows = {cell: store.load(cell, photos) for cell in cells[:3]}
    with pytest.raises(Incomplete) as stopped:
        finish(options, "kernel_size", Results(cells, photos, rows), [section4("fig10")["fig10"]])
    assert stopped.value.findings[0].seconds == pytest.approx(seconds)
