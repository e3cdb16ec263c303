import pytest
import torch

from preimage import ChannelMean, Conv, Description, vgg16
from preimage.paper.angles import angle_curves, network_outputs, sines
from preimage.paper.kernel_theorem import kernel_curve
from preimage.paper.limit_sheet import study_limit
from preimage.theory import limit, two_layer_angle_bound


@pytest.fixture(scope="module")
def photo():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1, 3, 32, 30, generator=generator)
    return torch.nn.functional.avg_pool2d(x, 3, 1)


def network(pool, width=16):
    encoder = vgg16().cut("conv1", pooled=True).with_pool(pool)
    whole = (encoder + encoder.mirror("nearest")).with_mean_head()
    return whole.with_normalisation().with_width(width)


def test_sines_are_those_of_the_angles():
    f_star = torch.tensor([3.0, 4.0], dtype=torch.float64)
    f = torch.stack([f_star, torch.tensor([-4.0, 3.0]), torch.tensor([1.0, 0.0])])
    assert sines(f, f_star) == pytest.approx(torch.tensor([0, 1, 0.8]), abs=1e-6)


def test_a_limit_study_has_the_limit_and_networks(photo):
    result = study_limit(photo, network("avg"), "gaussian:0.3", num_networks=3)
    torch.testing.assert_close(
        result.limit, limit(network("avg"), photo.double(), "gaussian:0.3")[0, 0]
    )
    draws = network_outputs(network("avg"), photo, 3, "gaussian:0.3", 0)
    torch.testing.assert_close(result.network.flatten(), draws[0])
    torch.testing.assert_close(result.measured_std.flatten(), draws.std(0))
    assert 0 < result.sine < 0.5
    assert not result.stderr.any()


def test_max_pools_are_sampled_with_a_standard_error(photo):
    result = study_limit(photo[..., :12, :10], network("max"), num_networks=2, num_samples=32)
    assert (result.stderr > 0).all()
    with pytest.raises(
        ValueError, match="`num_networks` must be at least 2 to have a spread, got 1"
    ):
        study_limit(photo, network("max"), num_networks=1)


def test_angle_curves_hold_quantiles_bounds_and_the_exponent(photo):
    two_layers = Description("two", (Conv("conv", 1), ChannelMean()))
    curves = angle_curves("two", two_layers, photo[..., :8, :7].double(), (16, 64), 30, 0.1, seed=0)
    assert list(curves.measured) == [0.05, 0.5, 0.9]
    low, middle, high = curves.measured.values()
    assert all(a < b < c for a, b, c in zip(low, middle, high, strict=True))
    assert curves.bounds["Theorem 5.2"].values == [two_layer_angle_bound(n, 0.1) for n in (16, 64)]
    assert abs(curves.exponent.mean + 0.5) < 5 * curves.exponent.stderr
    for name in ("Theorem V", "Theorem 5.2", "K_eff"):
        assert curves.bounds[name].values[1] > high[1]


def test_theorem_5_4_loosens_with_the_kernel(photo):
    curve = kernel_curve(photo, (1, 3, 5))
    assert curve.printed_bound == sorted(curve.printed_bound, reverse=True)
    for cosine, bound, paper in zip(
        curve.cosine, curve.corrected_bound, curve.printed_bound, strict=True
    ):
        assert paper <= bound + 1e-12
        assert bound <= cosine + 1e-12
