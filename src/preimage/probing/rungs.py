"""The rungs above the linear one: what they are asked, and what they answer."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from preimage.notebook.brief import Brief


def _require(owner: object, least: int | float, *names: str) -> None:
    for name in names:
        if not getattr(owner, name) >= least:
            raise ValueError(f"`{name}` must be at least {least:g}, got {getattr(owner, name)}.")


@dataclass(frozen=True, kw_only=True)
class DcnOptions:
    """How the DCN of a layer is trained.

    Args:
        steps: of Adam, each on `batch_size` tiles of 64 pixels or more.
        batch_size: tiles per step.
        learning_rate: the highest of a cosine schedule that ends at 0.
        width: channels at the photo's resolution; they double as the stride does.
        views: of each photo: as it is, mirrored, then shifted by up to a position.
        memory: for features, in GiB; where they do not fit, they come in rounds.
        seed: of weights, order and tiles.
    """

    steps: int = 2000
    batch_size: int = 16
    learning_rate: float = 4e-3
    width: int = 16
    views: int = 2
    memory: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self, 1, "steps", "batch_size", "width", "views")
        _require(self, 0, "memory", "learning_rate", "seed")


@dataclass(frozen=True, kw_only=True)
class InversionOptions:
    """How the picture is sought whose features are a photo's.

    Args:
        photos: how many of the held-out photos are inverted: each takes its own descent.
        steps: evaluations of the objective and its gradient, at the most.
        start: the linear decoder's picture, or a grey one.
        restarts: more descents from the start plus noise; the best objective counts.
        noise: its standard deviation in grey levels.
        total_variation: weight of the mean length of a value's gradient, in units of 255 levels;
            the weighted error of the features is 1 at their mean. None chooses it on as many
            training photos as a batch holds.
        floor: of the whitening: directions of features with less than this share of the mean
            variance are not raised to one scale.
        tolerance: stop when 25 evaluations lower the objective by less than this share.
        batch_size: photos per descent.
        seed: of the noise.
    """

    photos: int = 16
    steps: int = 150
    start: Literal["linear", "grey"] = "linear"
    restarts: int = 0
    noise: float = 20.0
    total_variation: float | None = None
    floor: float = 0.01
    tolerance: float = 0.01
    batch_size: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.start not in ("linear", "grey"):
            raise ValueError(f"`start` must be linear or grey, got {self.start!r}.")
        _require(self, 1, "steps", "batch_size")
        _require(self, 2, "photos")
        _require(self, 0, "restarts", "noise", "tolerance", "seed")
        if self.total_variation is not None:
            _require(self, 0, "total_variation")
        _require(self, 1e-9, "floor")


@dataclass(repr=False)
class RungResult(Brief):
    """One rung of one layer of one network.

    Args:
        mse: mean squared error per held-out photo, clipped to [0, 255], in squared grey levels.
        feature_error: per photo, ‖f(x̂) − f(x)‖ / ‖f(x) − mean f‖.
        pictures: what comes back of the first photos, RGB in [0, 255].
        seconds: of all that the rung took for this layer.
        notes: what else there is to say, by name.
    """

    mse: list[float] = field(default_factory=list)
    feature_error: list[float] = field(default_factory=list)
    pictures: list[Tensor] = field(default_factory=list)
    seconds: float = 0.0
    notes: dict[str, float] = field(default_factory=dict)
