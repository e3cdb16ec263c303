from dataclasses import fields, replace

import pytest

from preimage.network.spec import IMAGENET_MEAN, ReconstructConfig
from preimage.sweeps.cells import OPTIONS, cell_key, identity, label

CELL = ReconstructConfig(layer="conv1", pooled=True, width=2, unpool="nearest", size=0)
PHOTOS = "3547d3766b3e90ce655b7aa1d9662ae699c1fd61a15ffaab4edf878f3941ef4a"


def test_keys_are_those_of_cells_on_disk() -> None:
    """Of a folder that version 0.1.0 wrote: a key that moves makes every old sweep start anew."""
    assert cell_key(CELL, PHOTOS) == "24ecf9417558414dd02a963e86da4757"
    mean = replace(CELL, width=3, head="mean", network_number=1)
    assert cell_key(mean, PHOTOS) == "6a0108cc5f6be6faa59990539e29cb36"


def test_two_ways_to_say_one_network_are_one_cell() -> None:
    assert cell_key(replace(CELL, device="cpu"), PHOTOS) == cell_key(CELL, PHOTOS)
    conv1_2 = replace(CELL, layer="conv1_2", pooled=False)
    assert cell_key(conv1_2, PHOTOS) == cell_key(replace(conv1_2, layer="conv1"), PHOTOS)


@pytest.mark.parametrize(
    "change",
    [
        {"pooled": False},
        {"pool": "avg"},
        {"unpool": "zeros"},
        {"width": 3},
        {"kernel_size": 5},
        {"slope": 0.2},
        {"head": "mean"},
        {"weights": "gaussian:0.2"},
        {"seed": 1},
        {"network_number": 1},
        {"size": 32},
        {"input": "mean-subtracted"},
    ],
)
def test_what_changes_numbers_changes_the_key(change: dict[str, object]) -> None:
    other = replace(CELL, **change)  # type: ignore[arg-type]
    assert cell_key(other, PHOTOS) != cell_key(CELL, PHOTOS)


def test_the_mean_that_is_subtracted_is_part_of_a_cell() -> None:
    """Version 0.1.0 subtracted another one: its cells must not be taken for ours."""
    assert identity(CELL, PHOTOS)["input"] == "nonnegative"
    subtracted = identity(replace(CELL, input="mean-subtracted"), PHOTOS)
    assert subtracted["input"] == f"mean-subtracted {IMAGENET_MEAN}"


def test_label() -> None:
    assert label(ReconstructConfig()) == "network 0"
    assert label(ReconstructConfig(network_number=3, width=4)) == "width 4, network 3"
    assert label(CELL) == "layer conv1, pooled True, unpool nearest, width 2, network 0, size 0"


def test_every_option_but_the_device_is_a_column() -> None:
    assert sorted(OPTIONS) == sorted(
        field.name for field in fields(ReconstructConfig) if field.name != "device"
    )
