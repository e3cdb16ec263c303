"""Laws for random weights (Section 2.2), and the stream that each layer draws from."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

#: Goes up when a law draws other weights for the same keys: results of two versions never mix.
STREAM_VERSION = 1


class _Family(NamedTuple):
    std: float  # standard deviation at scale 1
    quantile: Callable[[Tensor], Tensor]  # of the law at scale 1, on (0, 1)


def _laplace_quantile(p: Tensor) -> Tensor:
    centred = p - 0.5
    return -centred.sign() * torch.log1p(-2 * centred.abs())


FAMILIES = {
    "gaussian": _Family(1.0, torch.special.ndtri),
    "uniform": _Family(1 / math.sqrt(3), lambda p: 2 * p - 1),
    "logistic": _Family(math.pi / math.sqrt(3), torch.logit),
    "laplace": _Family(math.sqrt(2), _laplace_quantile),
}


#: Scales of weights that single precision holds, and draws ten times as large or a thousandth.
SMALLEST, LARGEST = 1e-34, 1e36


@dataclass(frozen=True)
class Law:
    """A symmetric law for i.i.d. weights, written `family:scale`.

    The scale is the paper's parameter: the standard deviation of `gaussian`, the half-width of
    `uniform` on [-a, a), the scale s of `logistic`, the λ of `laplace` (variance 2λ²). Without a
    scale (`family:fan-in`) each layer's standard deviation is √(2 / ((1 + slope²) · fan_in)), which
    keeps the energy of the features constant from layer to layer (He et al. 2015).
    """

    family: str
    scale: float | None = None

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(
                f"the law of `weights` must be one of {', '.join(FAMILIES)}, got {self.family!r}."
            )
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(
                f"the scale of `weights` must be positive and finite, got {self.scale}."
            )
        if self.scale is not None and not SMALLEST <= self.scale <= LARGEST:
            raise ValueError(
                f"the scale of `weights` must be from {SMALLEST:g} to {LARGEST:g}, where single "
                f"precision neither under- nor overflows, got {self.scale:g}."
            )

    @classmethod
    def parse(cls, text: str) -> "Law":
        """The law written as `gaussian:0.015` or `gaussian:fan-in`.

        Raises:
            ValueError: no such law, or the scale is not a positive number.
        """
        family, _, scale = text.partition(":")
        if scale == "fan-in":
            return cls(family)
        try:
            number = float(scale)
        except ValueError:
            raise ValueError(
                "`weights` must be a law and its scale, such as gaussian:0.015, uniform:0.04, "
                "logistic:0.015, laplace:0.015 or gaussian:fan-in (these networks are random), got "
                f"{text!r}."
            ) from None
        return cls(family, number)

    def __str__(self) -> str:
        return f"{self.family}:{'fan-in' if self.scale is None else f'{self.scale:g}'}"

    def std(self, fan_in: int = 1, slope: float = 0.0) -> float:
        """The standard deviation of a weight; `fan_in` and `slope` count only without a scale."""
        if self.scale is None:
            return math.sqrt(2 / ((1 + slope**2) * fan_in))
        return self.scale * FAMILIES[self.family].std

    def sample(
        self, shape: tuple[int, ...], generator: torch.Generator, slope: float = 0.0
    ) -> Float[Tensor, "..."]:
        """Weights of this shape (out_channels, in_channels, …), float32, from a CPU generator.

        In one precision whatever the network's, so that a float32 and a float64 network of one
        seed have the same weights.
        """
        family = FAMILIES[self.family]
        scale = self.std(math.prod(shape[1:]), slope) / family.std
        if self.family == "gaussian":  # many times faster than the quantile function
            return torch.randn(shape, generator=generator) * scale
        p = torch.rand(shape, generator=generator, dtype=torch.float64)
        # 0 comes up once in 2⁵³ draws; the unbounded laws have no quantile there.
        return (family.quantile(p.clamp(min=2.0**-54)) * scale).float()


def stream(seed: int, network_number: int, layer: str) -> torch.Generator:
    """The random stream of one layer of one network, whatever was drawn before.

    Keyed by the user's seed, the network's number and the layer's name, so that weights depend
    neither on other layers nor on threads, workers or the device that they end up on.

    Raises:
        ValueError: `seed` or `network_number` is negative.
    """
    for name, value in (("seed", seed), ("network_number", network_number)):
        if value < 0:
            raise ValueError(f"`{name}` must be a nonnegative integer, got {value}.")
    # As spawn_key: entropy lists ignore trailing zeros, so that [1] and [1, 0] would coincide.
    sequence = np.random.SeedSequence(seed, spawn_key=(network_number, *layer.encode()))
    (state,) = sequence.generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state))
