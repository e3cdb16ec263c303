import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from preimage.decoders.ridge import fit_least_squares
from preimage.network.trace import Alignment
from preimage.retention.kernel_ridge import RIDGES, Problem, errors_by_ridge, feature_problem, fit


def problem(count=40, held_out=15, features=200, photos=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count + held_out, features, generator=generator).double()
    y = x[:, :3] + 0.1 * torch.rand(count + held_out, 3, generator=generator).double()
    k = x @ x.T / features
    numbers = torch.arange(count) * photos // count
    return x, Problem(
        k[:count, :count],
        k[count:, :count],
        k.diagonal()[count:],
        y[:count],
        y[count:],
        numbers,
        torch.arange(held_out),
    )


def test_it_is_kernel_ridge_regression():
    _, p = problem()
    found = fit(p)
    centred = p.centred()
    alpha = found.ridge * float(centred.gram.trace())
    peer = KernelRidge(alpha=alpha, kernel="precomputed").fit(centred.gram, centred.targets)
    expected = torch.from_numpy(peer.predict(centred.cross)) + p.targets.mean(0)
    torch.testing.assert_close(found.predictions, expected, rtol=0, atol=1e-8)
    assert found.mse == float((expected - p.held_out).square().mean())


def test_it_is_the_least_squares_decoder_of_a_network_s_features():
    """The decoder's ridge is a multiple of the mean, this one a share of the trace, over P."""
    photos, side, channels = 12, 5, 4
    generator = torch.Generator().manual_seed(1)
    maps = torch.rand(photos, channels, side, side, generator=generator).double()
    pixels = 255 * (maps[:, :3] + 0.3 * torch.rand(maps[:, :3].shape, generator=generator)) / 1.3
    decoder = fit_least_squares(
        lambda batch: maps[: len(batch)], [pixels], Alignment(1), window=1, ridges=[1e-3]
    )
    x = maps.permute(0, 2, 3, 1).flatten(0, 2)
    y = pixels.permute(0, 2, 3, 1).flatten(0, 2).double()
    numbers = torch.arange(photos).repeat_interleave(side**2)
    like = Problem(x @ x.T, x @ x.T, x.square().sum(1), y, y, numbers, numbers)
    found = fit(feature_problem(x, x, like), [1e-3 / channels])
    expected = decoder(maps, (side, side)).permute(0, 2, 3, 1).flatten(0, 2)
    torch.testing.assert_close(found.predictions, expected.double(), rtol=0, atol=1e-3)


def test_the_ridge_is_chosen_on_every_fifth_photo():
    _, p = problem()
    found = fit(p, RIDGES)
    held = p.photos % 5 == 1
    part = p.some(~held)
    part = Problem(
        part.gram,
        p.gram[held][:, ~held],
        p.gram.diagonal()[held],
        part.targets,
        p.targets[held],
        part.photos,
        p.photos[held],
    )
    errors = errors_by_ridge(part, RIDGES)
    assert found.held_back_mse == errors
    assert found.ridge == RIDGES[min(range(len(errors)), key=lambda i: errors[i] or 0)]


def test_what_can_t_be_fitted_is_refused():
    _, p = problem(photos=1)
    with pytest.raises(ValueError, match="two photos or more"):
        fit(p)
    singular = Problem(
        p.gram * 0, p.cross, p.diagonal, p.targets, p.held_out, p.photos, p.held_out_photos
    )
    with pytest.raises(ValueError, match="singular with every ridge"):
        fit(singular, [0.0])


def test_a_ridge_too_small_for_the_rounding_is_passed_over():
    _, p = problem()
    rounded = Problem(
        p.gram + 1e-3 * torch.randn(p.gram.shape, generator=torch.Generator().manual_seed(0)),
        p.cross,
        p.diagonal,
        p.targets,
        p.held_out,
        p.photos,
        p.held_out_photos,
    )
    found = fit(rounded, [1e-1, 1e-12])
    assert found.ridge == 1e-1
