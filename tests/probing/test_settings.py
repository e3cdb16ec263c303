"""Two settings are equal where every number is."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from preimage import Conv, Description, Pool, build
from preimage.probing import RAW, probe
from preimage.probing.settings import fingerprint


class Scaled(nn.Module):
    def __init__(self, mean: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.function = lambda x: x  # prints its address

    def forward(self, x: Tensor) -> Tensor:
        return x - self.mean

    def extra_repr(self) -> str:
        return str(self.function)


def test_a_models_fingerprint() -> None:
    assert fingerprint(Scaled(0.5)) == fingerprint(Scaled(0.5))
    assert fingerprint(Scaled(0.5)) != fingerprint(Scaled(0.6))  # a buffer that no file keeps
    one, two = nn.Conv2d(3, 4, 2), nn.Conv2d(3, 4, 2, stride=2)
    assert fingerprint(one) != fingerprint(two)
    two.load_state_dict(one.state_dict())
    assert fingerprint(one) != fingerprint(two)  # the same weights at another stride


def test_networks_of_the_same_weights_and_other_pools(
    tmp_path: Path, generator: torch.Generator
) -> None:
    description = Description("d", (Conv("c1", 4, slope=0.2), Pool("p1")))
    photos = 255 * torch.rand(12, 3, 8, 8, generator=generator)

    def run(description: Description) -> object:
        pixels = replace(RAW, size=8)
        return probe(build(description), photos, "p1", preprocessing=pixels, twins=0, out=tmp_path)

    run(description)
    with pytest.raises(ValueError, match="`out`"):
        run(description.with_pool("avg"))
