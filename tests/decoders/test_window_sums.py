"""Sums over windows of feature maps against their definition."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import windows

from preimage.decoders.normal_equations import NormalEquations
from preimage.decoders.window_sums import WindowMoments


@settings(max_examples=15)
@given(
    window=st.sampled_from([1, 3, 5, 7]),
    sizes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=3),
    some=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_moments_are_those_of_the_windows(
    window: int, sizes: list[tuple[int, int]], some: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    sums = WindowMoments(2, 3, window)
    xs, ys = [], []
    for height, width in sizes:
        maps = torch.randn(3, 2, height, width, generator=generator, dtype=torch.float64)
        targets = torch.randn(3, 3, height, width, generator=generator, dtype=torch.float64)
        chosen = [2, 0]
        if some:
            every = torch.arange(height * width)
            sums.add_some(maps, targets, chosen, [every, every.flip(0)])
        else:
            sums.add(maps, targets, chosen)
        xs.append(windows(maps[chosen], window))
        ys.append(targets[chosen].permute(0, 2, 3, 1).flatten(0, 2))
    x, y = torch.cat(xs), torch.cat(ys)
    result = sums.finish()
    expected = (x.T @ x, x.T @ y, x.sum(0), y.sum(0), float(y.square().sum()), len(x))
    for name, value in zip(NormalEquations.__dataclass_fields__, expected, strict=True):
        torch.testing.assert_close(getattr(result, name), value, rtol=1e-10, atol=1e-10)
