"""Scores of decoders whose outputs are known."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from preimage.decoders.evaluate import Evaluation, bicubic, evaluate, mean_image
from preimage.decoders.inverter import Inverter
from preimage.network.architectures import vgg16
from preimage.network.build import build

SIZE = (15, 18)


@pytest.fixture
def photos(generator: torch.Generator) -> Tensor:
    return torch.randint(0, 251, (5, 3, *SIZE), generator=generator, dtype=torch.uint8)


def inverter(output: Tensor) -> Inverter:
    """A decoder that returns the rows of `output` one after the other."""
    encoder = build(vgg16().cut("conv2").with_width(3), "gaussian:fan-in")
    found = Inverter(encoder, {"law": "gaussian:fan-in", "seed": 0, "network": 0}, encoder)
    rows = iter(output)
    found.decode = lambda features, size: torch.stack([next(rows) for _ in features])  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("batch_size", [2, 16])
def test_scores_of_a_constant_error(photos: Tensor, batch_size: int) -> None:
    """Five grey levels too bright: MSE 25, PSNR 10 lg (255² / 25), whatever the batches."""
    subject = inverter(photos.float() + 5)
    found = evaluate(subject, photos, batch_size=batch_size)
    assert found.keys() == {"decoder", "bicubic"}
    scores = found["decoder"]
    torch.testing.assert_close(scores.mse, torch.full((5,), 25.0, dtype=torch.float64))
    psnr = 10 * math.log10(255**2 / 25)
    torch.testing.assert_close(scores.psnr, torch.full((5,), psnr, dtype=torch.float64))
    features = subject.features(photos.float())
    error = (subject.features(photos.float() + 5) - features).flatten(1).norm(dim=1)
    expected = (error / features.flatten(1).norm(dim=1)).double()
    torch.testing.assert_close(scores.feature_error, expected, rtol=1e-5, atol=0)


def test_photos_of_any_form(photos: Tensor) -> None:
    arrays = [photo.permute(1, 2, 0).numpy() for photo in photos]
    found, expected = (evaluate(inverter(photos.float() + 5), form) for form in (arrays, photos))
    assert torch.equal(found["bicubic"].psnr, expected["bicubic"].psnr)


def test_outputs_are_clipped_before_they_are_scored(photos: Tensor) -> None:
    dark = torch.zeros_like(photos)
    scores = evaluate(inverter(dark.float() - 40), dark)["decoder"]
    assert scores.mse.tolist() == [0.0] * 5
    assert scores.psnr.tolist() == [math.inf] * 5


def test_bicubic_baseline_goes_through_the_layers_resolution(photos: Tensor) -> None:
    """Conv2 lies behind one pooling in ceil mode: 8×9."""
    found = evaluate(inverter(photos.float()), photos)["bicubic"]
    small = F.interpolate(photos.float(), (8, 9), mode="bicubic", antialias=True)
    expected = F.interpolate(small, SIZE, mode="bicubic", antialias=True)
    torch.testing.assert_close(bicubic(photos.float(), (8, 9)), expected)
    naive = (expected.clamp(0, 255) - photos.float()).square().mean((1, 2, 3)).double()
    torch.testing.assert_close(found.mse, naive, rtol=1e-5, atol=0)
    constant = torch.full((1, 3, *SIZE), 77.0)
    torch.testing.assert_close(bicubic(constant, (4, 5)), constant)


def test_mean_image_and_its_baseline(photos: Tensor) -> None:
    mean = mean_image(photos)
    torch.testing.assert_close(mean, photos.double().mean(0, keepdim=True).float())
    found = evaluate(inverter(photos.float()), photos, mean)["mean image"]
    naive = (photos.float() - mean).square().mean((1, 2, 3)).double()
    torch.testing.assert_close(found.mse, naive, rtol=1e-5, atol=0)
    many = photos.repeat(60, 1, 1, 1)  # more than are summed at once
    torch.testing.assert_close(mean_image(many), mean, rtol=1e-6, atol=1e-5)


def test_a_photo_that_came_back_exactly_has_no_psnr() -> None:
    psnr = torch.tensor([20.0, math.inf, 30.0, 25.0], dtype=torch.float64)
    zeros = torch.zeros_like(psnr)
    scores = Evaluation(zeros, psnr, zeros + 1, zeros)
    interval = scores.interval("psnr")
    assert (interval.mean, interval.n) == (25.0, 3)
    assert interval.half_width == pytest.approx(4.302653 * 5 / math.sqrt(3), rel=1e-6)  # t, 2 df
    assert Evaluation(zeros, psnr[1:2], zeros, zeros).interval("psnr").mean == math.inf
    assert [record["psnr"] for record in scores.records()] == [20.0, None, 30.0, 25.0]
    assert next(scores.records()) == {"mse": 0, "psnr": 20, "ssim": 1, "feature_error": 0}


def test_evaluations_show_means_with_intervals(photos: Tensor) -> None:
    found = evaluate(inverter(photos.float() + 5), photos)
    assert repr(found).startswith("Evaluations(decoder: PSNR 34.15 ± 0.00 dB, SSIM ")
    assert repr(found["decoder"]).startswith("Evaluation(5 photos: PSNR 34.15")
    assert "34.15 ± 0.00" in found._repr_html_()
    assert len(found.to_frame()) == 10
    names = [text.get_text() for text in found.plot().axes[0].get_xticklabels()]
    assert names == ["decoder", "bicubic"]
    assert len(found["decoder"].plot().axes) == 1
