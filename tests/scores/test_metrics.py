import numpy as np
import pytest
import torch
from photos import pieces
from scipy.stats import pearsonr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from preimage.data.photo import embedded_photos
from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.scores.metrics import colour_scores, grey, grey_scores, pearson, ssim, stretch

SKIMAGE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.fixture(scope="module")
def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    """Photos, and what a random network of each kind makes of them: dark, inverted, dotted."""
    whole = torch.stack([photo.pixels for photo in embedded_photos(96)])
    images = torch.cat([whole, pieces(96, of=192)])
    encoder = vgg16().cut("conv2").scale_width(0.1)
    outputs = []
    with torch.inference_mode():
        for number, image in enumerate(images):
            unpool = ("zeros", "nearest", "bilinear")[number % 3]
            network = build(encoder + encoder.mirror(unpool), network_number=number)  # type: ignore[arg-type]
            outputs.append(network(image[None]))
    return images, torch.cat(outputs)


def test_grey_scores_equal_scikit_image_and_scipy(
    pairs: tuple[torch.Tensor, torch.Tensor],
) -> None:
    scores = grey_scores(*pairs)
    for i, (original, output) in enumerate(zip(*pairs, strict=True)):
        x, y = (
            np.asarray((0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]).double())
            for p in (original, output)
        )
        x, y = ((p - p.min()) / (p.max() - p.min()) for p in (x, y))
        expected = structural_similarity(x, y, data_range=1.0, **SKIMAGE)
        assert bool(scores.inverted[i]) == (expected < 0)
        if expected < 0:
            expected = structural_similarity(x, 1 - y, data_range=1.0, **SKIMAGE)
        picture = 1 - y if scores.inverted[i] else y
        assert abs(float(scores.ssim[i]) - expected) < 1e-4
        assert abs(float(scores.pearson[i]) - pearsonr(x.ravel(), y.ravel()).statistic) < 1e-4
        assert abs(float(scores.mse[i]) - ((x - picture) ** 2).mean()) < 1e-4
        psnr = peak_signal_noise_ratio(x, picture, data_range=1.0)
        assert abs(float(scores.psnr[i]) - psnr) < 1e-4 * psnr
        np.testing.assert_allclose(scores.picture[i], picture, atol=1e-5)
    assert scores.inverted.any()
    assert not scores.inverted.all()


def test_colour_scores_equal_scikit_image(pairs: tuple[torch.Tensor, torch.Tensor]) -> None:
    originals, _ = pairs
    noise = torch.Generator().manual_seed(0)
    outputs = originals + 40 * torch.randn(originals.shape, generator=noise)  # beyond [0, 255]
    scores = colour_scores(originals, outputs)
    for i, (original, output) in enumerate(zip(originals, outputs, strict=True)):
        x, y = (np.asarray(p.clamp(0, 255).double().permute(1, 2, 0)) for p in (original, output))
        expected = structural_similarity(x, y, data_range=255, channel_axis=2, **SKIMAGE)
        assert abs(float(scores.ssim[i]) - expected) < 1e-4
        assert abs(float(scores.mse[i]) / ((x - y) ** 2).mean() - 1) < 1e-4
        assert abs(float(scores.psnr[i]) - peak_signal_noise_ratio(x, y, data_range=255)) < 1e-3


def test_ssim_of_an_odd_shape_in_both_precisions(generator: torch.Generator) -> None:
    x = torch.rand(27, 11, 34, generator=generator, dtype=torch.float64)
    y = (x + 0.2 * torch.rand(x.shape, generator=generator)).clamp(0, 1)
    expected = [
        structural_similarity(a.numpy(), b.numpy(), data_range=1.0, **SKIMAGE)
        for a, b in zip(x, y, strict=True)
    ]
    np.testing.assert_allclose(ssim(x, y), expected, atol=1e-12)
    np.testing.assert_allclose(ssim(x.float(), y.float()), expected, atol=1e-5)
    torch.testing.assert_close(ssim(x[:1], y[:1]), ssim(x, y)[:1])


def test_identical_and_inverted_images() -> None:
    photos = torch.stack([photo.pixels for photo in embedded_photos(40)])
    same = grey_scores(photos, 3 * photos - 7)
    torch.testing.assert_close(same.ssim, torch.ones(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(same.pearson, torch.ones(4), atol=1e-5, rtol=0)
    negative = grey_scores(photos, -photos)
    assert negative.inverted.all()
    torch.testing.assert_close(negative.ssim, torch.ones(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(negative.pearson, -torch.ones(4), atol=1e-5, rtol=0)
    assert (negative.mse < 1e-9).all()
    assert torch.equal(colour_scores(photos, photos).psnr, torch.full((4,), torch.inf))


def test_constant_images_have_an_answer() -> None:
    photo = embedded_photos(30)[0].pixels[None]
    for constant in (torch.zeros_like(photo), torch.full_like(photo, 0.1)):
        scores = grey_scores(photo, constant)
        assert scores.pearson.item() == 0
        assert 0 <= scores.ssim.item() < 0.5
        assert not scores.picture.any()
    both = grey_scores(torch.ones(1, 3, 20, 20), torch.zeros(1, 1, 20, 20))
    assert (both.pearson.item(), both.ssim.item()) == (0, pytest.approx(1))
    assert not stretch(torch.full((1, 3, 3), 5.0)).any()


def test_one_channel_output_against_a_colour_photo() -> None:
    photo = embedded_photos(30)[1].pixels[None]
    assert grey_scores(photo, grey(photo)[:, None]).ssim.item() == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match=r"of one shape, got.*`grey_scores`"):
        colour_scores(photo, grey(photo)[:, None])


def test_no_photos_no_scores() -> None:
    assert grey_scores(torch.zeros(0, 3, 20, 20), torch.zeros(0, 3, 20, 20)).ssim.shape == (0,)


def test_what_can_not_be_scored() -> None:
    image = torch.rand(1, 3, 20, 20)
    for wrong in (torch.nan, torch.inf):
        broken = image.clone()
        broken[0, 1, 2, 3] = wrong
        with pytest.raises(ValueError, match="`outputs` hold NaN or infinite"):
            grey_scores(image, broken)
        with pytest.raises(ValueError, match="`originals` hold NaN or infinite"):
            colour_scores(broken, image)
        with pytest.raises(ValueError, match="NaN or infinite"):
            ssim(image[0], broken[0])
    with pytest.raises(ValueError, match="at least 11×11 pixels, got 20×10"):
        grey_scores(image[..., :10], image[..., :10])
    with pytest.raises(ValueError, match="equal height and width"):
        grey_scores(image, image[..., 1:])
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        grey_scores(image, image[:, :2])


def test_pearson_of_nearly_constant_images_is_exact() -> None:
    x = torch.rand(1, 50, 50, dtype=torch.float64)
    y = 1e6 + x  # the mean is large: sums of squares would cancel
    assert pearson(x, y).item() == pytest.approx(1, abs=1e-6)


def test_precisions_may_differ(generator: torch.Generator) -> None:
    x = torch.rand(2, 3, 20, 23, generator=generator)
    expected = grey_scores(x, x.square()).ssim
    torch.testing.assert_close(grey_scores(x.double(), x.square()).ssim.float(), expected)
    assert grey_scores(x.half(), x.half()).ssim == pytest.approx([1, 1], abs=1e-5)
