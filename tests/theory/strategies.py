"""Random-CNN descriptions, drawn by hypothesis: small, odd, not square.

The strategies draw plain values, and `network` and `image` make descriptions and images of them
in the test's body: beartype, which checks calls, uses `random`, and strategies may not.
"""

import numpy as np
from hypothesis import strategies as st

from preimage.network.description import Description
from preimage.network.operations import Conv, Pool
from preimage.network.trace import least_size

_convs = st.tuples(
    st.just("conv"),
    st.integers(1, 7),  # kernel
    st.integers(0, 6),  # padding before, modulo the kernel
    st.sampled_from([True, True, True, False]),  # whether padding keeps the size
    st.sampled_from([1, 1, 1, 2]),  # stride
)
_pools = st.tuples(
    st.just("pool"), st.sampled_from([(2, 2), (3, 2), (2, 1), (3, 3)]), st.booleans()
)


def _with_second_conv(drawn):
    """Two convolutions at least, so that one is left before the mean head takes the last."""
    first, rest, second = drawn
    return st.integers(0, len(rest)).map(lambda i: (first, *rest[:i], second, *rest[i:]))


def specs(max_ops=4):
    """What `network` takes: operations, slope, channels of the image."""
    rest = st.lists(st.one_of(_convs, _pools), max_size=max_ops - 2)
    ops = st.tuples(_convs, rest, _convs).flatmap(_with_second_conv)
    return st.tuples(ops, st.sampled_from([0.0, 0.2, -0.5]), st.sampled_from([1, 3]))


#: What `image` takes: surplus height and width, a seed, whether some pixels are black, and whether
#: some values are negative.
shots = st.tuples(
    st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**32 - 1), st.booleans(), st.booleans()
)


def network(spec, pool="avg", unpool="zeros", width=2):
    """An encoder and its mirror, with the mean head, normalised (Definition 5.1)."""
    drawn, slope, channels = spec
    ops = []
    for index, (what, *values) in enumerate(drawn):
        if what == "pool":
            (kernel, stride), ceil = values
            ops.append(Pool(f"pool_{index}", pool, kernel, stride, ceil))
        else:
            kernel, before, keeps, stride = values
            before %= kernel
            padding = (before, kernel - 1 - before) if keeps else (before // 2, before // 2)
            ops.append(Conv(f"conv_{index}", width, kernel, stride, padding, slope))
    encoder = Description("drawn", tuple(ops), channels)
    return (encoder + encoder.mirror(unpool)).with_mean_head().with_normalisation()


def image(description, shot, largest=10):
    """An image that the description takes: (C, H, W)."""
    *surplus, seed, dark, signed = shot
    least = least_size(description)
    height, width = (max(least, min(least + more, largest)) for more in surplus)
    rng = np.random.default_rng(seed)
    x = rng.random((description.in_channels, height, width))
    if signed:
        x -= 0.5
    if dark:
        x[:, rng.random((height, width)) < 0.3] = 0
    return x
