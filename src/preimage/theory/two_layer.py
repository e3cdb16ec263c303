"""Two layers, one convolution and the channel mean: here nearly everything is known exactly.

With g the activations of one filter at the image's d pixels, f is the mean of N independent copies
of g, so E f = f* and N Cov(f) = Σ = k_2 h(cos θ_ij) z_i z_j − k_1² z_i z_j. Most of this noise is a
common change of brightness, which the angle does not see: its own constant is K_eff ≤ K_1.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.network.description import Description
from preimage.network.limit.exact import recursion_for
from preimage.network.limit.filters import Moments, gaussian_moments, relu_correlation
from preimage.network.operations import Conv
from preimage.theory.bounds import check_probability
from preimage.theory.chi_square import mixture_quantile

#: The largest d for which d × d matrices are computed: 0.5 GB each.
MOST_PIXELS = 8192


def two_layer_angle_bound(width: int, delta: float, moments: Moments | None = None) -> float:
    """Theorem 5.2: with probability ≥ 1 − δ, sin Θ ≤ √(K_1/(N δ)).

    For one convolution of `width` isotropic filters and the channel mean. E‖f − f*‖²/‖f*‖² = K_1/N
    exactly. Source: arXiv:1704.00330v3, Theorems 5.2 and A.3.

    Args:
        moments: *after* the activation, since there is no description to give its slope: for leaky
            ReLU pass `moments.with_slope(slope)`. By default Gaussian filters and ReLU.

    Raises:
        ValueError: δ not between 0 and 1, or `width` not positive.
    """
    if width < 1:
        raise ValueError(f"`width` must be at least 1, got {width}.")
    return math.sqrt((moments or gaussian_moments()).K1 / (width * check_probability(delta)))


class TwoLayer(NamedTuple):
    """A two-layer network at one image: z = ‖y_t‖ of each patch, H_ij = h(cos θ_ij), and more.

    The d patches are those of the `num_pixels` output pixels that are not black. `moments` are
    those after the activation.
    """

    z: Float[Tensor, " d"]
    H: Float[Tensor, "d d"]
    patches: Float[Tensor, "n d"]
    moments: Moments
    width: int
    num_pixels: int
    slope: float = 0.0

    @property
    def covariance(self) -> Float[Tensor, "d d"]:
        """Σ = N Cov(f): k_2 H_ij z_i z_j − k_1² z_i z_j, on the scale of `moments`."""
        m = self.moments
        outer = self.z[:, None] * self.z
        return (self.H * m.k2 - m.k1**2) * outer

    @property
    def effective_constant(self) -> float:
        """K_eff = (K_1 + 1)(1 − q'Hq), q_i = z_i²/‖z‖²; E sin² Θ = K_eff/N + O(1/N²)."""
        q = self.z.square() / self.z.square().sum()
        return float((self.moments.K1 + 1) * (1 - q @ self.H @ q))

    @property
    def spectrum(self) -> Float[Tensor, " d"]:
        """μ, with N sin² Θ → Σ μ_i χ²_1: eigenvalues of PΣP/(k_1‖z‖)², P = I − ẑẑ'."""
        sigma = self.covariance / (self.moments.k1 * torch.linalg.norm(self.z)) ** 2
        unit = self.z / torch.linalg.norm(self.z)
        projected = sigma - unit[:, None] * (unit @ sigma)
        projected = projected - (projected @ unit)[:, None] * unit
        values: Tensor = torch.linalg.eigvalsh((projected + projected.T) / 2)
        return values.clamp(min=0)

    def predicted_angle_quantile(self, probability: float) -> float:
        """The quantile of sin Θ to leading order: √(q/N), q that of Σ μ_i χ²_1.

        A prediction, by the central limit theorem, not a bound: a network's own quantile lies on
        either side of it.
        """
        return math.sqrt(mixture_quantile(self.spectrum, probability) / self.width)

    @property
    def pearson_loss(self) -> float:
        """Leading order of 1 − E corr²(f, f*): tr(PΣP)/(N ‖f*_c‖²).

        f*_c is f* minus its mean, and P projects onto the complement of 1 and f*_c. Over all
        pixels: black ones are constant in both images, and Pearson's r counts them.

        Raises:
            ValueError: f* is flat, so that its correlation with anything is undefined.
        """
        f = self.moments.k1 * self.z
        mean = f.sum() / self.num_pixels
        num_black = self.num_pixels - len(f)
        energy = (f - mean).square().sum() + num_black * mean**2  # ‖f*_c‖²
        if not energy > 1e-24 * f.square().sum():
            raise ValueError("`image` must not have a flat limit: it has no correlation.")
        # Unit vectors along 1 and f*_c; at black pixels their entries meet only zeros of Σ.
        basis = torch.stack([torch.ones_like(f) / self.num_pixels**0.5, (f - mean) / energy.sqrt()])
        sigma = self.covariance
        noise = sigma.trace() - (basis @ sigma * basis).sum()
        return float(noise / (self.width * energy))


def two_layer(
    description: Description,
    image: Float[Tensor, "N C H W"],
    moments: Moments | None = None,
) -> TwoLayer:
    """The exact second moments of a two-layer network's output, by d × d matrices.

    Patches that are all zero are left out, since f and f* vanish there. Derived in docs/theory.md.

    Args:
        moments: of one weight of an isotropic law, for ReLU, as in `layer_variances`; the slope is
            taken into account. Gaussian by default.

    Raises:
        ValueError: not one convolution and the mean; a black image; more than `MOST_PIXELS` pixels.
    """
    conv, patches = _patches(description, image)
    num_pixels = patches.shape[1]
    patches = patches[:, patches.square().sum(0) > 0]
    if not 0 < patches.shape[1] <= MOST_PIXELS:
        raise ValueError(
            f"`image` must have 1 to {MOST_PIXELS} patches that are not black, got "
            f"{patches.shape[1]}; for larger images use `sampled_effective_constant`."
        )
    z = patches.square().sum(0).sqrt()
    unit = patches / z
    return TwoLayer(
        z,
        relu_correlation((unit.T @ unit).clamp(-1, 1), conv.slope),
        patches,
        (moments or gaussian_moments()).with_slope(conv.slope),
        conv.out_channels,
        num_pixels,
        conv.slope,
    )


def sharper_angle_bound(network: TwoLayer, delta: float) -> float:
    """With probability ≥ 1 − δ, tan Θ ≤ √(K_eff/(N δ_1))/(1 − s); returns the bound on sin Θ.

        s = min{√(K_par(1 − δ_2)/(N δ_2)), √(2(1 + K_par) ln(1/δ_2)/N)},  K_par = K_1 − K_eff

    for the best of many splits δ_1 + δ_2 = δ; 1 (no statement) if no split has s < 1. The second
    form of s needs ReLU and is left out for other slopes. Derived in docs/theory.md, section 3.

    Raises:
        ValueError: δ not between 0 and 1.
    """
    check_probability(delta)
    n, k_eff = network.width, network.effective_constant
    k_par = max(network.moments.K1 - k_eff, 0.0)
    best = 1.0
    for share in torch.linspace(0.01, 0.99, 99).tolist():
        small, rest = share * delta, (1 - share) * delta
        shortfall = math.sqrt(k_par * (1 - small) / (n * small))
        if network.slope == 0:
            shortfall = min(shortfall, math.sqrt(2 * (1 + k_par) * math.log(1 / small) / n))
        if shortfall < 1:
            tangent = math.sqrt(k_eff / (n * rest)) / (1 - shortfall)
            best = min(best, tangent / math.hypot(1, tangent))
    return best


def concentration_angle_bound(network: TwoLayer, delta: float) -> float:
    """With probability ≥ 1 − δ: sin Θ ≤ [√K_1 + (‖Y‖_op/‖Y‖_F) √(4π ln(1/δ))]/√N.

    For tiny δ: it grows as √ln(1/δ), not as √(1/δ) like Markov's inequality. Gaussian filters and
    ReLU; the columns of Y are the patches. Derived in docs/theory.md, section 3.

    Raises:
        ValueError: δ not between 0 and 1; another activation; moments other than those of Gaussian
            filters and ReLU.
    """
    check_probability(delta)
    gauss = gaussian_moments()
    own = network.moments
    is_gaussian = math.isclose(own.K1, gauss.K1) and math.isclose(own.K2, gauss.K2)
    if network.slope != 0 or not is_gaussian:
        raise ValueError("`network` must have Gaussian filters and ReLU for this bound.")
    ratio = torch.linalg.matrix_norm(network.patches, 2) / torch.linalg.norm(network.patches)
    deviation = float(ratio) * math.sqrt(4 * math.pi * math.log(1 / delta))
    return (math.sqrt(gauss.K1) + deviation) / math.sqrt(network.width)


class Estimate(NamedTuple):
    """One constant estimated by sampling, and its standard error.

    The scalar sibling of `Sampled`. An interval over networks or photos is `scores.statistics`.
    """

    value: float
    stderr: float


def sampled_effective_constant(
    description: Description,
    image: Float[Tensor, "N C H W"],
    generator: torch.Generator,
    num_filters: int = 1024,
) -> Estimate:
    """K_eff = E‖g − (g·ẑ)ẑ‖²/(k_1²‖z‖²) for images of any size, over random Gaussian filters.

    Raises:
        ValueError: not one convolution and the mean, or a black image.
    """
    conv, patches = _patches(description, image)
    z = patches.square().sum(0).sqrt()
    if not z.any():
        raise ValueError("`image` must not be black: the angle to 0 is undefined.")
    unit = z / torch.linalg.norm(z)
    values = []
    for _ in range(-(-num_filters // 32)):  # the activations of a few filters at once
        w = torch.randn(32, len(patches), generator=generator, dtype=torch.float64)
        g = F.leaky_relu(w @ patches, conv.slope)
        values.append(g.square().sum(1) - (g @ unit).square())
    k1 = gaussian_moments(slope=conv.slope).k1
    sample = torch.cat(values) / (k1**2 * z.square().sum())
    return Estimate(float(sample.mean()), float(sample.std() / len(sample) ** 0.5))


def _patches(description: Description, image: Tensor) -> tuple[Conv, Tensor]:
    recursion = recursion_for(description, image)
    if recursion.before or recursion.hidden or len(recursion.after) != 1 or len(image) != 1:
        raise ValueError(
            f"{description.name}: this is for two layers, one convolution and the channel mean, "
            f"and one image; got {len(description.operations)} operations and "
            f"{len(image)} images."
        )
    conv = recursion.convs[0]
    before, after = conv.padding
    padded = F.pad(image.double(), (before, after, before, after))
    return conv, F.unfold(padded, conv.kernel_size, stride=conv.stride)[0]
