"""Whoever watches hears of the steps of bars, though none is shown."""

from dataclasses import dataclass

from preimage.data.progress import progress_bar, training_bar, watched


@dataclass(frozen=True)
class Step:
    step: int
    loss: float = 1.5
    photos: int = 2
    seconds: float = 0.25


def test_steps_of_all_bars_are_heard() -> None:
    heard: list[tuple[str, int, int | None]] = []
    with watched(lambda *said: heard.append(said)):
        with progress_bar("photos", 5) as advance:
            advance(3)
            advance()
        with training_bar(6, 8) as show:  # resumed
            show(Step(7))
    with progress_bar("photos", 5) as advance:
        advance()
    assert heard == [("photos", 3, 5), ("photos", 4, 5), ("train", 7, 8)]
