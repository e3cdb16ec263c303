import pytest

from preimage.network.architectures import vgg16
from preimage.network.description import Description
from preimage.network.operation_table import operation_rows
from preimage.network.trace import trace


def test_the_table_has_the_shapes_of_the_trace() -> None:
    encoder = vgg16().cut("conv2")
    network = encoder + encoder.mirror("nearest")
    rows = operation_rows(network.operations, network.channels, (31, 20))
    steps = trace(network, 31, 20)
    assert [row["output"] for row in rows] == [f"{s.channels}×{s.height}×{s.width}" for s in steps]
    assert rows[5]["what it does"] == "conv 3×3, 128 → 128, ReLU"


@pytest.mark.parametrize("size", [(227, 227), (1, 1)])
def test_without_shapes_the_channels_stand_alone(size: tuple[int, int]) -> None:
    decoder = vgg16().cut("conv2").mirror()
    rows = operation_rows(decoder.operations, decoder.channels, size)
    assert rows[0]["output"] == "128 channels"
    assert rows[-1]["output"] == "3 channels"


def test_a_description_shows_its_operations() -> None:
    encoder = vgg16().cut("conv1")
    assert repr(encoder) == "Description(vgg16 conv1: 2 operations, 3 → 64 channels)"
    assert encoder._repr_html_().count("<tr>") == 3
    assert "64×227×227" in encoder._repr_html_()
    assert "<table>" not in Description("nothing", ())._repr_html_()
