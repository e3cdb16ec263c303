"""Comparisons of encoders over photos and over networks, against SciPy and closed forms."""

import numpy as np
import pytest
from trained_figures import paired, welch

from preimage.network.architectures import LAYERS
from preimage.paper.decoder_scores import PHOTOS, Score, Scores, slope

RNG = np.random.default_rng(0)
#: random[network, layer, photo] and trained[…]: losses of 3 and 2 networks on 7 photos.
RANDOM, TRAINED = RNG.random((3, 5, 7)), 2 + RNG.random((2, 5, 7))


def of(encoder: str, values: np.ndarray) -> list[Score]:
    return [
        Score(encoder, network, layer, "m", "held-out", {"mse": values[network, k].tolist()})
        for network in range(len(values))
        for k, layer in enumerate(LAYERS)
    ]


SCORES = Scores(of("random", RANDOM) + of("trained", TRAINED))


def test_a_difference_is_paired_by_photo_and_unpaired_over_networks() -> None:
    found = SCORES.compare("mse", "random", "trained", layer="conv3")
    a, b = RANDOM[:, 2], TRAINED[:, 2]
    over_photos, over_networks = found.over_photos, found.over_networks
    assert (over_photos.mean, over_photos.half_width) == pytest.approx(paired(a.mean(0), b.mean(0)))
    expected = welch(a.mean(1), b.mean(1))
    assert (over_networks.mean, over_networks.half_width) == pytest.approx(expected)


def test_slopes_are_those_of_a_fitted_line() -> None:
    def fitted(values: np.ndarray) -> np.ndarray:
        return np.polyfit(range(5), values, 1)[0]  # values (5, …)

    assert slope([1.0, 3.0, 2.0]) == pytest.approx(np.polyfit(range(3), [1, 3, 2], 1)[0])
    networks = SCORES.slopes("mse", LAYERS, "networks", encoder="random")
    assert networks == pytest.approx(fitted(RANDOM.mean(2).T))
    found = SCORES.compare_slopes("mse", LAYERS, "random", "trained")
    expected = welch(fitted(RANDOM.mean(2).T), fitted(TRAINED.mean(2).T))
    got = (found.over_networks.mean, found.over_networks.half_width)
    assert got == pytest.approx(expected)
    expected = paired(fitted(RANDOM.mean(0)), fitted(TRAINED.mean(0)))
    assert (found.over_photos.mean, found.over_photos.half_width) == pytest.approx(expected)


def test_overfitting_is_a_difference_over_photos_that_share_nothing() -> None:
    """Of the averages over networks; a network more makes no photo more."""
    psnr = {"training": RNG.normal(25, 3, (2, 9)), "held-out": RNG.normal(20, 3, (2, 11))}
    scores = [
        Score("e", network, "conv2", "m", photos, {"psnr": psnr[photos][network].tolist()})
        for photos in PHOTOS
        for network in (0, 1)
    ]
    gap = Scores(scores).held_out_gap(encoder="e", layer="conv2", method="m")
    expected = welch(psnr["held-out"].mean(0), psnr["training"].mean(0))
    assert (gap.mean, gap.half_width) == pytest.approx(expected)


def test_a_table_has_a_row_per_photo() -> None:
    rows = SCORES.rows()
    assert len(rows) == 5 * 5 * 7
    assert rows[8] == {
        "encoder": "random",
        "network": 0,
        "layer": "conv2",
        "method": "m",
        "photos": "held-out",
        "photo": 1,
        "mse": RANDOM[0, 1, 1],
    }
