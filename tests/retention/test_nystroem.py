"""Landmarks against scikit-learn's, and against all pairs."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge
from torch import Tensor

from preimage import Conv, Description, Pool, embedded_photos
from preimage.network.limit.tiles import Tiles
from preimage.retention.infinite import retention
from preimage.retention.kernel_ridge import Problem, fit
from preimage.retention.layer import KernelOptions, layer_problem, place_layer
from preimage.retention.nystroem import landmark_report, span_features, spanned
from preimage.retention.positions import Sampling

pytestmark = pytest.mark.usefixtures("no_hint_checks")

ENCODER = Description(
    "small",
    (Conv("conv1_1", 1, slope=0.2), Pool("pool1", "avg"), Conv("conv2_1", 1, slope=0.2)),
)
OPTIONS = KernelOptions(sampling=Sampling(positions=24, held_out=8, tile=2), dtype=torch.float64)


def pixels(count: int = 6, side: int = 18) -> Tensor:
    whole = [photo.pixels for photo in embedded_photos(72)]
    return torch.stack(
        [whole[i % 3][:, 9 * (i // 3) :][:, :side, 5 * i : 5 * i + side] for i in range(count)]
    ).byte()


@cache
def problem() -> Problem:
    return layer_problem(ENCODER, pixels(), pixels(3), OPTIONS)[1]


def in_order(found: Problem, order: Tensor) -> Problem:
    """Training positions put into another order."""
    return replace(
        found,
        gram=found.gram[order][:, order],
        cross=found.cross[:, order],
        targets=found.targets[order],
        photos=found.photos[order],
    )


def positions_of(tiles: Tiles) -> list[tuple[int, ...]]:
    corners = tiles.corners.tolist()
    return [(n, *corner) for n, corner in zip(tiles.photos.tolist(), corners, strict=True)]


def test_all_landmarks_are_all_pairs() -> None:
    options = replace(OPTIONS, landmarks=24)
    layer, found = layer_problem(ENCODER, pixels(), pixels(3), options)
    plain = positions_of(place_layer(ENCODER, (18, 18), (6, 3), OPTIONS).training)
    places = [plain.index(tile) for tile in positions_of(layer.training)]
    assert sorted(places) == list(range(6)) != places
    order = (4 * torch.tensor(places)[:, None] + torch.arange(4)).flatten()
    expected = in_order(problem(), order)
    torch.testing.assert_close(found.gram, expected.gram, rtol=1e-8, atol=0)
    torch.testing.assert_close(found.cross, expected.cross, rtol=1e-8, atol=0)
    torch.testing.assert_close(found.targets, expected.targets)
    ridges = [1e-2, 1e-3, 1e-4]
    all_pairs, landmarks = fit(expected, ridges), fit(found, ridges)
    assert landmarks.ridge == all_pairs.ridge
    torch.testing.assert_close(landmarks.predictions, all_pairs.predictions, rtol=0, atol=1e-8)


def test_landmarks_pair_with_all_and_nothing_else_is_computed(tmp_path: Path) -> None:
    whole = problem()
    options = replace(OPTIONS, landmarks=7, folder=tmp_path, threads=1)
    layer, found = layer_problem(ENCODER, pixels(), pixels(3), options)
    assert layer.landmarks == (8, 4)  # two tiles and one
    files = sorted(path.stem[20:] for path in tmp_path.glob("*.safetensors"))
    assert files == ["-held-out-00000", "-training-00000", "-training-00002"]
    plain = positions_of(place_layer(ENCODER, (18, 18), (6, 3), OPTIONS).training)
    places = [plain.index(tile) for tile in positions_of(layer.training)]
    order = (4 * torch.tensor(places)[:, None] + torch.arange(4)).flatten()
    expected = in_order(whole, order)
    torch.testing.assert_close(found.gram[:, :8], expected.gram[:, :8], rtol=1e-8, atol=0)
    torch.testing.assert_close(found.cross[:, :8], expected.cross[:, :8], rtol=1e-8, atol=0)
    # What lies outside the span is missing, and never negative.
    assert torch.linalg.eigvalsh(expected.gram - found.gram).min() > -1e-8 * expected.gram.max()


def test_it_is_scikit_learns_nystroem_and_ridge() -> None:
    whole = problem()
    kernel = torch.cat([whole.gram, whole.cross])

    def entry(row: np.ndarray, column: np.ndarray) -> float:
        return float(kernel[int(row[0]), int(column[0])])

    indices = np.arange(32.0)[:, None]  # scikit-learn's precomputed kernels take no new positions
    peer = Nystroem(kernel=entry, n_components=9, random_state=0).fit(indices[:24])
    features = torch.from_numpy(peer.transform(indices[:24]))
    basis = torch.from_numpy(peer.component_indices_)
    rest = torch.tensor([i for i in range(24) if i not in basis])
    p = in_order(whole, torch.cat([basis, rest]))
    gram, cross = spanned(p.gram[:, :9], p.cross[:, :9], 1e-14)
    found = fit(replace(p, gram=gram, cross=cross), [1e-4])
    centred = features - features.mean(0)
    alpha = 1e-4 * float(centred.square().sum())
    ridge = Ridge(alpha=alpha, solver="svd").fit(features, whole.targets)
    expected = torch.from_numpy(ridge.predict(peer.transform(indices[24:])))
    torch.testing.assert_close(found.predictions, expected, rtol=0, atol=1e-8)


def test_what_landmarks_cost_is_said() -> None:
    layer, found = layer_problem(ENCODER, pixels(), pixels(3), replace(OPTIONS, landmarks=12))
    assert layer.landmarks == (12, 8)
    report = landmark_report(found, 12, 8, 1e-14, [1e-3])
    # With features in hand: the share of their squared distances from the span.
    own = problem().diagonal
    inside, held_out = span_features(found.gram[:, :12], found.cross[:, :12], 1e-14)
    about = (held_out - inside.mean(0)).square().sum(1)
    outside = own - held_out.square().sum(1)
    share = float(outside.sum() / (about + outside).sum())
    assert report.outside == pytest.approx(share)
    assert 0 < share < 0.5
    fewer = replace(OPTIONS, landmarks=8)
    expected = fit(layer_problem(ENCODER, pixels(), pixels(3), fewer)[1], [1e-3]).mse
    assert report.fewer == (8, pytest.approx(expected, rel=1e-6))
    exact = problem()  # of the training positions themselves nothing lies outside all of them
    exact = replace(exact, diagonal=exact.gram.diagonal()[:8], cross=exact.gram[:8])
    exact = replace(exact, held_out=exact.targets[:8], held_out_photos=exact.photos[:8])
    assert landmark_report(exact, 24, 12, 1e-14, [1e-3]).outside < 1e-8


def test_a_retention_says_what_landmarks_cost() -> None:
    options = replace(OPTIONS, landmarks=12)
    found = retention(ENCODER, pixels(), pixels(3), ["conv2"], size=18, options=options)
    (layer,) = found.layers
    assert layer.landmarks is not None
    assert layer.row()["landmarks"]["count"] == 12
    heading, _, row = str(found).splitlines()
    assert "landmarks  outside, %  with half" in heading
    assert "12" in row.split()


def test_more_landmarks_than_positions_are_refused() -> None:
    with pytest.raises(ValueError, match="some of the 24 `positions`, got 25"):
        replace(OPTIONS, landmarks=25)
