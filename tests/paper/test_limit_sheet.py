"""A photo's limit beside finite networks."""

import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from preimage import Description, PhotoError, embedded_photos, vgg16
from preimage.network.operations import PoolKind
from preimage.paper.angles import network_outputs
from preimage.paper.limit_sheet import draw_limit, study_limit
from preimage.theory import limit, limit_bracket, relative_std, sampled_limit


@pytest.fixture(scope="module")
def photo() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return F.avg_pool2d(torch.rand(1, 3, 32, 30, generator=generator), 3, 1)


def network(pool: PoolKind, width: int = 8) -> Description:
    encoder = vgg16().cut("conv1", pooled=True).with_pool(pool)
    whole = (encoder + encoder.mirror("nearest")).with_mean_head()
    return whole.with_normalisation().with_width(width)


def test_maps_are_the_limit_and_the_networks(photo: Tensor) -> None:
    net = network("avg")
    result = study_limit(photo, net, "gaussian:0.3", num_networks=3)
    exact = limit(net, photo.double(), "gaussian:0.3")[0, 0]
    torch.testing.assert_close(result.limit, exact)
    draws = network_outputs(net, photo, 3, "gaussian:0.3", 0)
    torch.testing.assert_close(result.network.flatten(), draws[0])
    torch.testing.assert_close(result.measured_std.flatten(), draws.std(0))
    torch.testing.assert_close(result.predicted_std, exact.abs() * relative_std(net))
    cosine = float(F.cosine_similarity(draws[:1], exact.reshape(1, -1)))
    assert result.sine == pytest.approx((1 - cosine**2) ** 0.5)
    assert not result.stderr.any()


def test_max_pools_are_sampled_with_a_standard_error(photo: Tensor) -> None:
    few, many = (
        study_limit(photo[..., :12, :10], network("max"), num_networks=2, num_samples=samples)
        for samples in (32, 512)
    )
    assert (few.stderr > 0).all()
    ratio = float(few.stderr.mean() / many.stderr.mean())
    assert ratio == pytest.approx(4, rel=0.35)  # of √(512/32); the errors are estimates themselves
    with pytest.raises(ValueError, match="`num_networks` must be at least 2 to have a spread"):
        study_limit(photo, network("max"), num_networks=1)


@pytest.mark.parametrize("pool", ["avg", "max"])
def test_six_titled_panels(photo: Tensor, pool: PoolKind) -> None:
    result = study_limit(photo[..., :12, :10], network(pool, 4), num_networks=2, num_samples=32)
    figure = draw_limit(result)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert len(titles) == 6
    assert titles[2] == f"one network, width 4: sin Θ = {result.sine:.3f}"
    shown = figure.axes[1].get_images()[0].get_array()
    assert shown is not None
    assert float(shown.max()) == pytest.approx(1)
    figure.draw_without_rendering()


def test_a_photo_in_any_form_and_what_is_shown_of_it() -> None:
    photo = embedded_photos(24)[1]
    encoder = vgg16().cut("conv1", pooled=True).with_pool("avg").with_width(4)
    network = (encoder + encoder.mirror("nearest").with_mean_head()).with_normalisation()
    study = study_limit(photo, network, num_networks=2)
    expected = study_limit(photo.pixels[None] / 255, network, num_networks=2)
    assert torch.equal(study.limit, expected.limit)
    assert torch.equal(limit(network, photo), limit(network, photo.pixels[None]))
    assert limit(network, photo.image).shape == (1, 1, 227, 227)
    assert repr(study).startswith("LimitPicture(vgg16 conv1 pooled + nearest mirror mean: 2 netw")
    assert study._repr_html_().count("<img") == 3
    assert len(study.plot().axes) == 9  # six panels, three with a bar
    ax = Figure().subplots()
    assert study.plot(ax) is ax
    with pytest.raises(PhotoError, match="contains several photos"):
        study_limit(embedded_photos(24), network)


def test_samples_and_brackets_print_no_tensor() -> None:
    encoder = vgg16().cut("conv1", pooled=True)
    network = encoder + encoder.mirror("nearest").with_mean_head()
    image = torch.full((1, 3, 12, 14), 128.0)
    bracket, sampled = limit_bracket(network, image), sampled_limit(network, image, num_samples=8)
    assert repr(bracket).startswith("Bracket(lower=1×1×12×14 from ")
    for found in (bracket, sampled):
        assert "\n" not in repr(found)
        assert found._repr_html_().count("<img") == 2
