"""Inversion: what is there comes back, whatever the start; what has no gradient is refused."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from preimage.probing.capture import LayerError
from preimage.probing.fourier import fourier_basis
from preimage.probing.inversion import (
    Inverted,
    Problem,
    check_gradient,
    choose_total_variation,
    feature_error,
    invert,
    total_variation,
)
from preimage.probing.rungs import InversionOptions
from preimage.probing.whitening import whitening

OPTIONS = InversionOptions(steps=150, tolerance=0.001)


def _photos(count: int) -> Tensor:
    coarse = torch.rand(count, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    smooth = nn.functional.interpolate(coarse, (20, 16), mode="bicubic", align_corners=False)
    return 255 * smooth.clamp(0.05, 0.95)


def _layer() -> nn.Module:
    """An orthonormal map of 2×2 pixels and a leaky ReLU: invertible."""
    conv = nn.Conv2d(3, 12, 2, 2)
    directions, _ = torch.linalg.qr(torch.randn(12, 12, generator=torch.Generator().manual_seed(0)))
    with torch.no_grad():
        conv.weight.copy_(directions.view(12, 3, 2, 2))
        conv.bias.copy_(-directions.sum(1) * 120)  # type: ignore[union-attr]
    return nn.Sequential(conv, nn.LeakyReLU(0.5))


def _problem(layer: nn.Module, photos: Tensor, weight: float = 1e-4) -> Problem:
    with torch.no_grad():
        wanted = layer(photos)
    return Problem(layer, wanted, whitening(wanted, 0.01), fourier_basis(photos), weight)


def _psnr(found: Tensor, photos: Tensor) -> Tensor:
    return 10 * (255**2 / (found - photos).square().mean((1, 2, 3))).log10()


def test_a_photo_comes_back_from_an_invertible_layer() -> None:
    photos, layer = _photos(3), _layer()
    found = invert(_problem(layer, photos), torch.full_like(photos, 127.5), OPTIONS)
    assert _psnr(found.pixels, photos).min() > 40
    with torch.no_grad():
        wanted = layer(photos)
        error = feature_error(layer(found.pixels), wanted, wanted.mean((0, 2, 3)))
    assert error.max() < 0.01
    assert found.evaluations <= 150 + 25


def test_restarts_keep_the_best_of_each_photo() -> None:
    photos, layer = _photos(3), _layer()
    few = replace(OPTIONS, steps=25)
    problem, start = _problem(layer, photos), torch.full_like(photos, 127.5)
    once = invert(problem, start, few)
    thrice = invert(problem, start, replace(few, restarts=2))
    assert (thrice.loss <= once.loss).all()
    assert thrice.evaluations > 2 * once.evaluations
    again = invert(problem, start, replace(few, restarts=2))
    assert torch.equal(thrice.pixels, again.pixels)


def test_descent_stops_where_it_hardly_falls() -> None:
    photos, layer = _photos(2), _layer()
    found = _problem(layer, photos).minimise(photos, replace(OPTIONS, steps=1000, tolerance=0.5))
    assert found.evaluations < 200


def test_total_variation_is_chosen_by_what_it_does_to_known_photos() -> None:
    few, layer = replace(OPTIONS, steps=50), _layer()
    noise = 255 * torch.rand(2, 3, 8, 8)
    grey = torch.full_like(noise, 127.5)
    assert choose_total_variation(lambda w: _problem(layer, noise, w), grey, noise, few) < 0.5
    # One number per 4×4 block: nothing but smoothness tells the rest.
    photos, blurred = _photos(2), nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(3, 1, 1))
    start = 127.5 + 60 * torch.randn(photos.shape)
    chosen = choose_total_variation(lambda w: _problem(blurred, photos, w), start, photos, few)
    assert chosen == 0.5


def test_total_variation_counts_levels_per_pixel() -> None:
    ramp = 3.0 * torch.arange(8.0).expand(1, 3, 6, 8)
    assert total_variation(ramp).item() == pytest.approx(10**0.5 / 255)


def test_the_photo_itself_has_no_error_and_the_mean_has_one() -> None:
    wanted = torch.randn(2, 5, 3, 4)
    mean = torch.full((5,), 0.3)
    assert feature_error(wanted, wanted, mean).max() == 0
    grey = mean[:, None, None].expand_as(wanted)
    assert (feature_error(grey, wanted, mean) - 1).abs().max() < 1e-6


def test_a_layer_without_gradients_is_refused() -> None:
    photos = _photos(1)
    check_gradient("0", _layer(), photos)
    with torch.inference_mode():
        layer = nn.Conv2d(3, 4, 2)
    with pytest.raises(LayerError, match=r"layer 0 passes no gradient back .*nference"):
        check_gradient("0", layer, photos)

    def rounded(pixels: Tensor) -> Tensor:
        return pixels.detach()

    with pytest.raises(LayerError, match=r"layer x passes no gradient .*differentiate"):
        check_gradient("x", rounded, photos)


def test_what_is_found_is_a_picture() -> None:
    photos = _photos(2)
    few = replace(OPTIONS, steps=25)
    found = invert(_problem(_layer(), photos), 400 * torch.rand(photos.shape), few)
    assert isinstance(found, Inverted)
    assert found.pixels.min() >= 0
    assert found.pixels.max() <= 255
