"""The filters of a layer's last convolution, sorted by how they see what patches have in common.

Patches x lie close to one direction e, their first principal direction about zero: nearly the
constant patch. A filter w with a large u = w·e is of one sign on nearly all of them, and its
feature is linear; one with u near 0 bends. Given u, w·x is Gaussian with mean u (x·e), so that the
second moment of leaky features φ = c₁ a + c₂ |a|, a = w·x, has a closed form::

    E aa'    = μμ' + κ                                              κ the covariance given u
    E |a|a'  = μ' E|a| + κ erf(m/√2)                                m = μ/σ, ρ = κ/σσ'
    E |a||a'| = (μμ' + κ) s + 2μ'σ φ(m) erf((m' − ρm)/√(2 − 2ρ²)) + the same with a, a' exchanged
               + 4σσ'(1 − ρ²) φ₂(m, m'; ρ)

with the normal densities φ, φ₂ and s = E sign(aa'), from Owen's T. Positive and negative u have the
same E aa' and E |a||a'|, and opposite E |a|a' + E a|a'|.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy import special, stats
from torch import Tensor

from preimage.data.free_memory import require_memory
from preimage.retention.kernel_ridge import Problem

# Panels of |u| in standard deviations: features bend where u is small. Three nodes in each.
PANELS = (0.0, 0.02, 0.06, 0.15, 0.35, 0.8, 1.6, 2.6, 5.5)
MOST_POSITIONS = 1024  # to fit to; of more, the closed forms take minutes
_NEWTON = 60  # steps; h has a slope of 1 − (1 − a)²/(1 + a²) at −1, 0 for ReLU
_ROWS = 256  # of a kernel at once
_LEAST = 1e-9  # standard deviation given u, for patches that are e and nothing else


@dataclass(frozen=True)
class Along:
    """Pre-activations of positions given u = 1: means, and their lengths across e."""

    means: Float[Tensor, " P"]
    across: Float[Tensor, " P"]

    def __getitem__(self, rows: slice) -> "Along":
        return Along(self.means[rows], self.across[rows])


@dataclass(frozen=True)
class ClassKernels:
    """Second moments of classes of filters, in a basis of r directions of the training positions.

    `tails` are the traces that the basis leaves out, `diagonal` means over the positions to
    predict. Centred like `Problem.centred`.
    """

    shares: Float[Tensor, " J"]
    grams: Float[Tensor, "J r r"]
    cross: Float[Tensor, "J M r"]
    diagonal: Float[Tensor, " J"]
    tails: Float[Tensor, " J"]


class FilterClasses:
    """Classes of the filters of a layer's last convolution, by their u.

    Args:
        problem: of a layer that ends in a convolution, read at single positions.
        slope: of that convolution's leaky features.
    """

    def __init__(self, problem: Problem, slope: float) -> None:
        own = problem.gram.double().diagonal()
        self._gram = without_activation(problem.gram.double(), own, own, slope)
        self._cross = without_activation(
            problem.cross.double(), problem.diagonal.double(), own, slope
        )
        gram, cross = self._gram, self._cross
        values, vectors = torch.linalg.eigh(gram)
        top = vectors[:, -1] / values[-1].sqrt()
        self._train = _along(gram @ top, own)
        self._held_out = _along(cross @ top, problem.diagonal.double())
        gain = 2 / (1 + slope**2)
        self._weights = gain * (1 + slope) ** 2 / 4, gain * (1 - slope) ** 2 / 4
        self._mixed = gain * (1 - slope**2) / 4

    def kernels(self, basis: Float[Tensor, "P r"]) -> ClassKernels:
        """Of all classes, projected on columns that are orthonormal and sum to zero.

        Raises:
            MemoryTooSmall: they need more than there is.
        """
        nodes, weights = quadrature(PANELS)
        (held, positions), rank = self._cross.shape, basis.shape[1]
        needed = 8 * 2 * 2 * len(nodes) * rank * (rank + held)  # a copy as they are stacked
        what = f"the classes of filters at {positions:,} and {held:,} positions"
        require_memory(needed, what, "take fewer `positions`, or no `widths`")
        parts = []
        for u in nodes.tolist():
            even, odd = self._parts(u, basis)
            parts += [
                [e + o for e, o in zip(even, odd, strict=True)],
                [e - o for e, o in zip(even, odd, strict=True)],
            ]
        grams, cross, diagonal, tails = (torch.stack(part) for part in zip(*parts, strict=True))
        return ClassKernels(weights.repeat_interleave(2) / 2, grams, cross, diagonal, tails)

    def _parts(self, u: float, basis: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """(gram, cross, diagonal, tail) of what u and −u share, and of what they do not."""
        found = []
        train = self._sums(self._gram, self._train, u, basis)
        held = self._sums(self._cross, self._held_out, u, basis)
        own = self._own(self._train, u), self._own(self._held_out, u)
        for (product, means), (cross, cross_means), at, x in zip(train, held, *own, strict=True):
            gram = basis.T @ product
            level = means.mean()
            tail = at.sum() - len(means) * level - gram.trace()
            diagonal = (x - 2 * cross_means + level).mean()
            found.append([gram, cross - means @ basis, diagonal, tail])
        return found[0], found[1]

    def _sums(
        self, linear: Tensor, rows: Along, u: float, basis: Tensor
    ) -> list[tuple[Float[Tensor, "R r"], Float[Tensor, " R"]]]:
        """Kernels times the basis, and their means over training positions, block by block."""
        blocks: list[list[Tensor]] = [[], [], [], []]
        for start in range(0, len(linear), _ROWS):
            part = slice(start, start + _ROWS)
            same = range(start, min(start + _ROWS, len(linear))) if rows is self._train else None
            for i, kernel in enumerate(self._pair(linear[part], rows[part], u, same)):
                blocks[i].append(kernel @ basis)
                blocks[2 + i].append(kernel.mean(1))
        return [(torch.cat(blocks[i]), torch.cat(blocks[2 + i])) for i in range(2)]

    def _pair(self, linear: Tensor, rows: Along, u: float, same: range | None) -> Iterator[Tensor]:
        """Even and odd part of E φφ' given u, between these rows and all training positions."""
        a, b = rows, self._train
        covariance = linear - a.means[:, None] * b.means
        product = u * u * a.means[:, None] * b.means + covariance
        both = _absolute(covariance, a, b, u)
        if same is not None:  # an equal patch is no pair: ρ = 1
            here = torch.arange(len(same))
            both[here, list(same)] = product[here, list(same)]
        yield self._weights[0] * product + self._weights[1] * both
        (m, size, sign), (n, length, side) = _moments(a, u), _moments(b, u)
        mixed = size[:, None] * n + length * m[:, None] + covariance * (sign[:, None] + side)
        yield self._mixed * mixed

    def _own(self, x: Along, u: float) -> tuple[Tensor, Tensor]:
        """Even and odd part of E φ² given u."""
        mean, size, sign = _moments(x, u)
        square = mean.square() + x.across.square()
        return sum(self._weights) * square, 2 * self._mixed * (
            mean * size + x.across.square() * sign
        )


def without_activation(
    kernel: Float[Tensor, "R P"],
    rows: Float[Tensor, " R"],
    columns: Float[Tensor, " P"],
    slope: float,
) -> Float[Tensor, "R P"]:
    """The covariance of pre-activations: h inverted by Newton's method.

    Args:
        rows: the kernel of each row's position with itself, and so of `columns`. The activation
            keeps it.
    """
    scale = (rows[:, None] * columns).sqrt()
    wanted = (kernel / scale.clamp(min=1e-300)).clamp(max=1)
    bend = (1 - slope) ** 2 / (1 + slope**2) / math.pi
    c = wanted.clone()
    for _ in range(_NEWTON):
        angle = c.acos()
        missed = c + bend * ((1 - c * c).sqrt() - c * angle) - wanted
        c = (c - missed / (1 - bend * angle)).clamp(-1, 1)
    return c * scale


def _along(means: Tensor, squares: Tensor) -> Along:
    return Along(means, (squares - means.square()).clamp(min=_LEAST**2).sqrt())


def _moments(x: Along, u: float) -> tuple[Tensor, Tensor, Tensor]:
    """E a, E |a| and E sign(a)."""
    mean = u * x.means
    m = mean / x.across
    sign = torch.special.erf(m / math.sqrt(2))
    return mean, 2 * x.across * _density(m) + mean * sign, sign


def _density(m: Tensor) -> Tensor:
    return torch.exp(-m.square() / 2) / math.sqrt(2 * math.pi)


def _absolute(
    covariance: Float[Tensor, "R P"], a: Along, b: Along, u: float
) -> Float[Tensor, "R P"]:
    """E |a||a'| given u."""
    mean, other = (u * a.means)[:, None], u * b.means
    size, length = a.across[:, None], b.across
    m, n = mean / size, other / length
    rho = (covariance / size / length).clamp(-1 + 1e-13, 1 - 1e-13)
    root = (1 - rho.square()).sqrt()
    first, second = (n - rho * m) / root, (m - rho * n) / root
    owen = [
        torch.from_numpy(special.owens_t(h.expand_as(rho).numpy(), (x / h).numpy()))
        for h, x in ((m, first), (n, second))
    ]
    sign = 1 - 4 * (owen[0] + owen[1]) - 2 * (m * n < 0).double()
    erf = torch.special.erf
    found = (mean * other + covariance) * sign
    found += 2 * other * size * _density(m) * erf(first / math.sqrt(2))
    found += 2 * mean * length * _density(n) * erf(second / math.sqrt(2))
    # φ₂ is the product of a density and a conditional one.
    return found + 4 * size * length * root * _density(m) * _density(first)


def quadrature(panels: Sequence[float], nodes: int = 3) -> tuple[Tensor, Tensor]:
    """Nodes and weights of |u| for a standard normal u, Gauss–Legendre panel by panel."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    ends = np.array(panels)
    half = np.diff(ends)[:, None] / 2
    at = ends[:-1, None] + half * (1 + x)
    weights = (half * w * 2 * stats.norm.pdf(at)).ravel()
    return torch.from_numpy(at.ravel()), torch.from_numpy(weights / weights.sum())
