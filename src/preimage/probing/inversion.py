"""The inversion rung: the picture whose features are the given ones, found by descent.

    x̂ = argmin ‖W (f(x) − f₀)‖² / ‖W (f₀ − mean)‖² + λ TV(x)

Mahendran & Vedaldi (2015), "Understanding deep image representations by inverting them", with
whitened features (W, `probing.whitening`), the picture by its frequencies (`probing.fourier`), and
L-BFGS: each makes the problem better conditioned. It knows the weights, and asks what is still
there though no decoder reads it; where features have little to say, total variation decides.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.probing.capture import LayerError
from preimage.probing.fourier import FourierBasis
from preimage.probing.rungs import InversionOptions
from preimage.probing.whitening import Whitening

Pixels = Float[Tensor, "N 3 H W"]
PerPhoto = Float[Tensor, " N"]
#: Photos in [0, 255] → a layer's maps or vectors, through which gradients flow.
Features = Callable[[Pixels], Tensor]
#: λ for features that leave hardly a choice, some, and much.
TOTAL_VARIATIONS = (0.003, 0.05, 0.5)
_STRIDE = 25  # evaluations between two looks at the stop rule
_HISTORY = 20  # pairs that L-BFGS remembers


@dataclass(frozen=True)
class Inverted:
    """Pictures in [0, 255], each photo's objective, and how often it was evaluated."""

    pixels: Pixels
    loss: PerPhoto
    evaluations: int


class Problem:
    """The objective of a batch of photos, as a function of their coefficients.

    Args:
        wanted: the features f₀.
        total_variation: λ, of the mean length of a value's gradient in units of 255 levels.
    """

    def __init__(
        self,
        features: Features,
        wanted: Tensor,
        whitening: Whitening,
        basis: FourierBasis,
        total_variation: float,
    ) -> None:
        self.features, self.wanted, self.basis = features, wanted, basis
        self.matrix, self.total_variation = whitening.matrix, total_variation
        self.scale = _mean_square(whitening(wanted)).clamp(min=1e-12)
        # Whitens differences, whose mean is 0.
        self._weigh = Whitening(torch.zeros_like(whitening.mean), whitening.matrix)

    def losses(self, coefficients: Tensor) -> PerPhoto:
        """The objective of each photo."""
        pixels = self.basis.pixels(coefficients)
        difference = self._weigh(self.features(pixels) - self.wanted)
        error = _mean_square(difference) / self.scale
        return error + self.total_variation * total_variation(pixels)

    def minimise(self, start: Pixels, options: InversionOptions) -> Inverted:
        """From these pictures down, by L-BFGS, until it hardly falls.

        One L-BFGS for the batch: photos do not mix in the objective, but share its steps.
        """
        z = self.basis.coefficients(start).requires_grad_()
        optimizer = torch.optim.LBFGS(
            [z],
            max_iter=min(_STRIDE, options.steps),
            max_eval=min(_STRIDE, options.steps),
            history_size=_HISTORY,
            line_search_fn="strong_wolfe",
            # The objective is about 1 at the mean image; the stop rule is ours.
            tolerance_grad=0.0,
            tolerance_change=0.0,
        )
        count = 0

        def evaluate() -> Tensor:
            nonlocal count
            count += 1
            with torch.enable_grad():
                loss = self.losses(z).sum()
            (z.grad,) = torch.autograd.grad(loss, z)
            return loss.detach()

        before = float("inf")
        while count < options.steps:
            optimizer.step(evaluate)  # type: ignore[no-untyped-call]
            with torch.no_grad():
                now = float(self.losses(z).sum())
            if not now < before * (1 - options.tolerance):
                break
            before = now
        with torch.no_grad():
            return Inverted(self.basis.pixels(z).clamp(0, 255), self.losses(z), count)


def invert(problem: Problem, start: Pixels, options: InversionOptions) -> Inverted:
    """Per photo, the best of a descent from `start` and of `restarts` from it plus noise."""
    best = problem.minimise(start, options)
    generator = torch.Generator().manual_seed(options.seed)
    for _ in range(options.restarts):
        noise = torch.randn(start.shape, generator=generator).to(start)
        again = problem.minimise(start + options.noise * noise, options)
        better = again.loss < best.loss
        pixels = torch.where(better[:, None, None, None], again.pixels, best.pixels)
        loss = torch.minimum(again.loss, best.loss)
        best = Inverted(pixels, loss, best.evaluations + again.evaluations)
    return best


def choose_total_variation(
    problem: Callable[[float], Problem], start: Pixels, pixels: Pixels, options: InversionOptions
) -> float:
    """The λ of `TOTAL_VARIATIONS` that leaves the least error on photos that are known.

    Args:
        problem: the one of these photos for each λ.
        start: where the descents begin.
        pixels: the photos.
    """
    errors = {}
    for weight in TOTAL_VARIATIONS:
        found = problem(weight).minimise(start, options).pixels
        errors[weight] = float((found - pixels).double().square().mean())
    return min(errors, key=lambda weight: errors[weight])


def check_gradient(name: str, features: Features, pixels: Pixels) -> None:
    """Refuses a layer through which no gradient reaches the photo.

    Raises:
        LayerError: saying why.
    """
    reason = "its features do not depend on the photo by operations that torch can differentiate"
    with torch.enable_grad():
        photo = pixels.clone().requires_grad_()
        try:
            found = features(photo)
            if found.requires_grad:
                torch.autograd.grad(found.square().sum(), photo)
                return
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200].rstrip(".")
    raise LayerError(
        f"layer {name} passes no gradient back to the photo ({reason}); leave `inversion` out of "
        "`rungs`, or load the model outside torch.inference_mode."
    )


def total_variation(pixels: Pixels) -> PerPhoto:
    """The mean length of a value's gradient, each channel for itself, / 255."""
    down = (pixels[..., 1:, :-1] - pixels[..., :-1, :-1]).square()
    right = (pixels[..., :-1, 1:] - pixels[..., :-1, :-1]).square()
    # Smooth within a level, where a photo is flat.
    return (down + right + 1.0).sqrt().mean((1, 2, 3)) / 255


def feature_error(features: Tensor, wanted: Tensor, mean: Float[Tensor, " C"]) -> PerPhoto:
    """|f − f₀| / |f₀ − mean| of each photo."""
    centre = mean.view(-1, *[1] * (wanted.dim() - 2)).to(wanted)
    found, whole = (features - wanted).flatten(1), (wanted - centre).flatten(1)
    error: Tensor = found.norm(dim=1) / whole.norm(dim=1).clamp(min=1e-30)
    return error


def _mean_square(values: Tensor) -> PerPhoto:
    mean: Tensor = values.flatten(1).square().mean(1)
    return mean
