import math

import pytest
import torch

from preimage.retention.filters import ClassKernels, FilterClasses, without_activation
from preimage.retention.kernel_ridge import Problem, errors_by_ridge, feature_problem
from preimage.retention.mixture import MixtureCurve
from preimage.retention.width import WidthCurve

RIDGES = (1e-2, 1e-4)
RIDGE = RIDGES[1]
COUNT, HELD_OUT, SIDE, SLOPE = 36, 24, 5, 0.2


def patches(level):
    """Patches of a smooth random field about a constant: bright if `level` is large."""
    generator = torch.Generator().manual_seed(3)
    draw = torch.randn(COUNT + HELD_OUT, SIDE, generator=generator, dtype=torch.float64)
    return level + draw.cumsum(1) / 2


def leaky(a):
    return a.where(a > 0, SLOPE * a) * (2 / (1 + SLOPE**2)) ** 0.5


def problems(x):
    """The kernel's problem and that without an activation; each patch is read for its sum."""
    length = x.norm(dim=1) / SIDE**0.5
    linear = x @ x.T / SIDE
    c = (linear / length[:, None] / length).clamp(-1, 1)
    bent = (1 - SLOPE) ** 2 / (1 + SLOPE**2) * ((1 - c * c).sqrt() - c * c.arccos()) / math.pi
    kernel = length[:, None] * length * (c + bent)
    y = torch.stack([x.sum(1), x[:, 2].abs()], 1)
    count = 3 * len(x) // 5
    fitted, rest = torch.arange(count), torch.arange(len(x) - count)
    return [
        Problem(
            k[:count, :count],
            k[count:, :count],
            k.diagonal()[count:],
            y[:count],
            y[count:],
            fitted,
            rest,
        )
        for k in (kernel, linear)
    ]


def test_an_activation_is_taken_from_a_kernel():
    kernel, linear = problems(patches(0.5))
    own = kernel.gram.diagonal()
    found = without_activation(kernel.cross, kernel.diagonal, own, SLOPE)
    torch.testing.assert_close(found, linear.cross, rtol=1e-9, atol=1e-9)


class Equal(FilterClasses):
    """Classes that are all alike: the kernel itself."""

    def __init__(self, problem):
        self.centred = problem.centred()

    def kernels(self, basis):
        gram = basis.T @ self.centred.gram @ basis
        return ClassKernels(
            torch.tensor([0.3, 0.7], dtype=torch.float64),
            torch.stack([gram, gram]),
            torch.stack([self.centred.cross @ basis] * 2),
            self.centred.diagonal.mean().repeat(2),
            (self.centred.gram.trace() - gram.trace()).repeat(2),
        )


def test_classes_that_are_alike_are_one():
    problem, _ = problems(patches(1.0))
    curve, plain = MixtureCurve(problem, Equal(problem)), WidthCurve(problem)
    for ridge in RIDGES:
        for width in (7, 200, math.inf):
            assert curve.mse(width, ridge) == pytest.approx(plain.mse(width, ridge), rel=1e-4)


@pytest.mark.parametrize("u", [0.03, 0.7])
def test_second_moments_of_features_given_u_are_those_of_filters(u):
    x = patches(2.0)[:10]
    fitted, rest = x[:6], x[6:]
    classes = FilterClasses(problems(x)[0], SLOPE)
    basis = torch.linalg.qr(torch.eye(6, dtype=torch.float64) - 1 / 6)[0][:, :4]
    found = classes._parts(u, basis)
    e = torch.linalg.eigh(fitted.T @ fitted)[1][:, -1]
    # The direction's own sign is free, and with it which of the two classes is u.
    e = e * torch.sign((fitted @ e) @ classes._train.means)
    generator = torch.Generator().manual_seed(5)
    w = torch.randn(SIDE, 10_000, generator=generator, dtype=torch.float64)
    for sign in (1, -1):
        even, odd = found
        filters = w + torch.outer(e, sign * u - e @ w)
        f, g = leaky(fitted @ filters / SIDE**0.5), leaky(rest @ filters / SIDE**0.5)
        f, g = f - f.mean(0), g - f.mean(0)
        inside = basis.T @ f
        samples = (
            inside[:, None] * inside,
            g[:, None] * inside,
            g.square().mean(0),
            f.square().sum(0) - inside.square().sum(0),
        )
        for part, sample in enumerate(samples):
            stderr = sample.std(-1) / sample.shape[-1] ** 0.5
            expected = even[part] + sign * odd[part]
            assert ((sample.mean(-1) - expected).abs() < 4.5 * stderr + 1e-12).all()


@pytest.mark.parametrize(("width", "draws"), [(16, 80), (90, 40)])
def test_the_error_of_bright_patches_is_as_networks_have_it(width, draws):
    """Nearly every filter has one sign; taking all for one class is off by a factor of two."""
    problem, _ = problems(patches(8.0))
    curve, plain = MixtureCurve(problem, FilterClasses(problem, SLOPE)), WidthCurve(problem)
    x = patches(8.0)
    count = len(problem.gram)
    generator = torch.Generator().manual_seed(width)
    found = []
    for _ in range(draws):
        w = torch.randn(SIDE, width, generator=generator, dtype=torch.float64)
        f = leaky(x @ w / SIDE**0.5)
        found += errors_by_ridge(feature_problem(f[:count], f[count:], problem), (RIDGE,))
    errors = torch.tensor(found, dtype=torch.float64)
    stderr = float(errors.std()) / draws**0.5
    expected = curve.mse(width, RIDGE)
    assert abs(float(errors.mean()) - expected) < 4 * stderr + 0.07 * expected
    assert not 0.6 < plain.mse(width, RIDGE) / expected < 1.6
    best, ridge = curve.best(width, (1e-3, RIDGE))
    assert best == curve.mse(width, ridge) <= expected
