"""A score over one option of a grid: the mean over networks at each value, a line per combination.

Only finished cells count. A level is the mean over networks of each one's average over the photos.
"""

from collections.abc import Callable, Iterable
from typing import Any

from preimage.network.spec import ReconstructConfig
from preimage.scores.statistics import Interval, mean_interval
from preimage.sweeps.cells import OPTIONS

#: Label of the other options → value of the option → the mean over networks.
Levels = dict[str, dict[Any, Interval]]


def varying(cells: Iterable[ReconstructConfig]) -> list[str]:
    """The options, besides the network's number, of which the cells have several values."""
    cells = list(cells)
    names = [name for name in OPTIONS if name != "network_number"]
    return [name for name in names if len({getattr(cell, name) for cell in cells}) > 1]


def levels(
    cells: Iterable[ReconstructConfig],
    average: Callable[[ReconstructConfig], float | None],
    option: str,
) -> Levels:
    """The levels of what `average` says of each cell, None where it is not done.

    Raises:
        ValueError: no such option.
    """
    if option not in OPTIONS:
        raise ValueError(f"`option` must be one of {', '.join(OPTIONS)}, got {option!r}.")
    cells = list(cells)
    others = [name for name in varying(cells) if name != option]
    samples: dict[str, dict[Any, list[float]]] = {}
    for config in cells:
        value = average(config)
        if value is not None:
            label = ", ".join(f"{name} {getattr(config, name)}" for name in others)
            line = samples.setdefault(label, {})
            line.setdefault(getattr(config, option), []).append(value)
    return {
        label: {at: mean_interval(sample) for at, sample in line.items()}
        for label, line in samples.items()
    }
