"""Hypothesis draws descriptions: any encoder that a person might write."""

from hypothesis import strategies as st

from preimage.network.architectures import ARCHITECTURES, architecture
from preimage.network.description import Description
from preimage.network.operations import Conv, Normalise, Operation, Pool

slopes = st.sampled_from([0.0, 0.2, 1.0])
unpools = st.sampled_from(["zeros", "nearest", "bilinear"])
pools = st.sampled_from(["max", "avg", "l2"])


@st.composite
def convs(draw: st.DrawFn, name: str) -> Conv:
    kernel_size = draw(st.integers(1, 5))
    padding = st.integers(0, kernel_size - 1)
    return Conv(
        name,
        out_channels=draw(st.integers(1, 4)),
        kernel_size=kernel_size,
        stride=draw(st.integers(1, 3)),
        padding=(draw(padding), draw(padding)),
        slope=draw(slopes),
        normalised=draw(st.booleans()),
    )


@st.composite
def normalisations(draw: st.DrawFn, channels: int) -> Normalise:
    values = [
        draw(st.lists(elements, min_size=channels, max_size=channels))
        for elements in (st.floats(-200, 200), st.floats(0.1, 100) | st.floats(-100, -0.1))
    ]
    return Normalise("normalise", *map(tuple, values))


@st.composite
def encoders(draw: st.DrawFn) -> Description:
    """One to three blocks of one or two convolutions, with or without a pooling behind; the input
    normalised or not.
    """
    in_channels = draw(st.sampled_from([1, 3]))
    operations: list[Operation] = draw(st.lists(normalisations(in_channels), max_size=1))
    for block in range(1, draw(st.integers(1, 3)) + 1):
        for i in range(1, draw(st.integers(1, 2)) + 1):
            operations.append(draw(convs(f"conv{block}_{i}")))
        if draw(st.booleans()):
            kernel_size = draw(st.integers(1, 3))
            operations.append(
                Pool(
                    f"pool{block}",
                    draw(pools),
                    kernel_size,
                    stride=draw(st.integers(1, 3)),
                    ceil=draw(st.booleans()),
                )
            )
    return Description("drawn", tuple(operations), in_channels)


@st.composite
def paper_encoders(draw: st.DrawFn) -> Description:
    """An architecture of the paper, cut anywhere, pooled or not, simplified or not."""
    whole = architecture(draw(st.sampled_from(sorted(ARCHITECTURES))))
    layer = draw(st.sampled_from(whole.layers))
    try:
        encoder = whole.cut(layer, pooled=draw(st.booleans()))
    except ValueError:  # no pooling behind this layer
        encoder = whole.cut(layer)
    how = draw(st.sampled_from(["whole", "resized", "direct"]))
    return encoder if how == "whole" else encoder.simplified(resize=how == "resized")
