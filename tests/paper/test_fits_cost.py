"""The seconds of fits and scores are those of a few photos, in proportion."""

from collections.abc import Callable
from pathlib import Path

import pytest

from preimage.paper import fits_cost as module
from preimage.paper.fits_cost import fits_cost
from preimage.paper.options import FigureOptions, TrainingSet
from preimage.paper.trainings import Trainings

Timed = Callable[[int], Trainings]


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Timed:
    """Four photos take 0.5 s to fit to and 2 s to score, a solution takes 7 s."""
    for name, seconds in (("_fitting", 0.5), ("_scoring", 2.0)):
        monkeypatch.setattr(module, name, lambda kind, pixels, seconds=seconds: seconds)
    monkeypatch.setattr(module, "_solving", lambda kind: 7.0)

    def trainings(photos: int) -> Trainings:
        given = TrainingSet(train="a", held_out="b", side=128, photos=photos, width_factor=0.02)
        return Trainings(FigureOptions(figure="fig3b", out=str(tmp_path), training=given))

    return trainings


def test_fits_and_scores_in_proportion(timed: Timed) -> None:
    trainings = timed(100)
    encoders = [
        trainings.random_encoder(layer, number) for layer in ("conv1", "conv2") for number in (0, 1)
    ]
    cost = fits_cost(trainings, encoders, scored=True)
    # 305 photos of 128×128 to fit to; two decoders on 100 training and 100 held-out photos.
    assert cost.seconds == pytest.approx(4 * (305 / 4 * 0.5 + 7) + 4 * 400 / 4 * 2)
    assert cost.what == "4 least-squares fits to 305 photos, scores of 4 networks"
    kept = trainings.fit_file(encoders[0])
    kept.parent.mkdir()
    kept.touch()
    cost = fits_cost(trainings, encoders, scored=False)
    assert cost.seconds == pytest.approx(3 * (305 / 4 * 0.5 + 7))
    assert cost.what == "3 least-squares fits to 305 photos"


def test_few_photos_are_not_worth_timing(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_scoring", lambda *_: pytest.fail("timed"))
    trainings = timed(10)
    cost = fits_cost(trainings, [trainings.random_encoder("conv1", 0)], scored=True)
    assert cost.seconds == pytest.approx(305 / 4 * 0.5 + 7)


def test_real_networks_take_time() -> None:
    given = TrainingSet(train="a", held_out="b", side=32, photos=100, width_factor=0.02)
    trainings = Trainings(FigureOptions(figure="fig3b", training=given))
    assert fits_cost(trainings, [trainings.random_encoder("conv1", 0)], scored=True).seconds > 0
