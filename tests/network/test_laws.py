import math

import pytest
import torch
from scipy import stats

from preimage.network.laws import FAMILIES, Law, stream

SCIPY = {
    "gaussian:0.015": stats.norm(0, 0.015),
    "uniform:0.04": stats.uniform(-0.04, 0.08),
    "logistic:0.015": stats.logistic(0, 0.015),
    "laplace:0.015": stats.laplace(0, 0.015),
}


@pytest.mark.parametrize("text", SCIPY)
def test_samples_follow_scipys_law(text: str) -> None:
    law, expected = Law.parse(text), SCIPY[text]
    samples = law.sample((100, 100, 5, 5), stream(0, 0, text)).flatten().numpy()
    # Four laws, one sample each, fixed beforehand: 1e-4 a test.
    assert stats.kstest(samples, expected.cdf).pvalue > 1e-4
    assert math.isclose(law.std(), expected.std(), rel_tol=1e-12)
    stderr = expected.std() / math.sqrt(len(samples))
    assert abs(samples.mean()) < 4 * stderr
    kurtosis = float(expected.stats("k")) + 3
    assert abs(samples.var() / expected.var() - 1) < 4 * math.sqrt((kurtosis - 1) / len(samples))


def test_uniform_stays_in_its_interval() -> None:
    samples = Law.parse("uniform:0.04").sample((1000, 1000), stream(0, 0, "x"))
    assert samples.min() >= -0.04
    assert samples.max() <= 0.04


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_fan_in_keeps_energy(family: str, slope: float) -> None:
    """E act(w·y)² = ‖y‖²/fan_in for w of the fan-in law: the features keep their energy."""
    law = Law.parse(f"{family}:fan-in")
    weight = law.sample((40_000, 3, 5, 5), stream(0, 0, family), slope).double()
    y = torch.linspace(0.1, 2, 75, dtype=torch.float64)
    features = torch.nn.functional.leaky_relu(weight.flatten(1) @ y, slope)
    energy = features.square()
    stderr = energy.std() / math.sqrt(len(energy))
    assert abs(energy.mean() - y.square().mean()) < 4 * stderr


def test_streams_are_keyed() -> None:
    def draw(*key: object) -> float:
        return float(torch.rand(1, generator=stream(*key)))  # type: ignore[arg-type]

    keys = [(0, 0, "conv1_1"), (1, 0, "conv1_1"), (0, 1, "conv1_1"), (0, 0, "conv1_2"), (0, 0, "")]
    values = [draw(*key) for key in keys]
    assert len(set(values)) == len(keys)
    assert [draw(*key) for key in reversed(keys)] == values[::-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaussian", "`weights` must be a law and its scale, such as .*, got 'gaussian'"),
        ("gaussian:", "`weights` must be a law and its scale, such as .*, got 'gaussian:'"),
        ("gaussian:x", "`weights` must be a law and its scale, such as .*, got 'gaussian:x'"),
        ("cauchy:1", "law of `weights` must be one of gaussian, uniform, .*, got 'cauchy'"),
        ("uniform:-1", r"scale of `weights` must be positive and finite, got -1\.0"),
        ("laplace:0", r"scale of `weights` must be positive and finite, got 0\.0"),
        ("gaussian:inf", "scale of `weights` must be positive and finite, got inf"),
        ("gaussian:nan", "scale of `weights` must be positive and finite, got nan"),
        ("gaussian:1e-300", r"scale of `weights` must be from 1e-34 to 1e\+36.*, got 1e-300"),
        ("uniform:1e37", r"neither under- nor overflows, got 1e\+37"),
    ],
)
def test_laws_are_checked(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Law.parse(text)


def test_streams_start_at_zero() -> None:
    with pytest.raises(ValueError, match="`seed` must be a nonnegative integer, got -1"):
        stream(-1, 0, "conv1")
    with pytest.raises(ValueError, match="`network_number` must be a nonnegative integer"):
        stream(0, -1, "conv1")


@pytest.mark.parametrize("text", [*SCIPY, "laplace:fan-in"])
def test_laws_are_written_as_they_are_read(text: str) -> None:
    assert str(Law.parse(text)) == text
