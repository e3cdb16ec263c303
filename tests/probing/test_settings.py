"""Two settings are equal where every number is."""

import torch
from torch import Tensor, nn

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
