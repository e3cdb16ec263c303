"""What a figure is made from: plain options, and what the paper's figures have in common.

Nothing here imports torch, so that the command line can read it before it has to.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from preimage.network.operations import UnpoolKind
from preimage.network.ranges import Above0, Positive, Range, Side
from preimage.network.spec import Checked, DeviceName
from preimage.sweeps.grid import Execution

#: `quick` takes minutes on a laptop; `paper` is the paper's own size.
Scale = Literal["quick", "paper"]

#: The paper's unpooling, on which verdicts rest, and the one that stands beside it.
UNPOOLS: tuple[UnpoolKind, ...] = ("zeros", "nearest")


@dataclass(frozen=True, kw_only=True)
class TrainingSet(Checked):
    """What decoders of Figures 2, 3, 4 and 6 are trained on and how long; None: the scale's own.

    Args:
        train: photos to train on.
        held_out: photos that they are not trained on.
        trained: files of trained encoders, in place of torchvision's VGG16; of AlexNet, too, for
            Figure 2a.
        side: photos are read once, as squares of this side.
        steps: of each training.
        batch_size: photos per step.
        width_factor: factor on the channels of every hidden layer.
        photos: training and held-out photos that are scored.
        strict: refuse photos that cannot be read; otherwise they are named and left out.
    """

    train: str = ""
    held_out: str = ""
    trained: tuple[str, ...] = ()
    side: Side | None = None
    steps: Positive | None = None
    batch_size: Positive | None = None
    width_factor: Above0 | None = None
    photos: Positive | None = None
    strict: bool = False


@dataclass(frozen=True, kw_only=True)
class FigureOptions(Checked):
    """One figure, and what it is computed from.

    Args:
        figure: of `preimage.paper.registry.FIGURES`.
        data: files, folders, zips or glob patterns; scikit-image's photos if empty.
        out: folder for pictures, tables and findings.
        networks: random networks per point; the scale's number if None.
        delta: the theorems' bounds hold with probability 1 − δ.

    Raises:
        ValueError: an unknown scale, or `delta` is no probability.
    """

    figure: str
    scale: Scale = "quick"
    data: tuple[str, ...] = ()
    out: str = "preimage-out"
    networks: Positive | None = None
    delta: Annotated[float, Range(0, 1, above=True, below=True)] = 0.05
    seed: int = 0
    device: DeviceName = "auto"
    execution: Execution = field(default_factory=Execution)
    training: TrainingSet = field(default_factory=TrainingSet)

    def num_networks(self, of_scale: dict[Any, int]) -> int:
        """Networks per point: as asked for, else the scale's.

        Raises:
            ValueError: fewer than two, which have no deviation.
        """
        networks = of_scale[self.scale] if self.networks is None else self.networks
        if networks < 2:
            raise ValueError(f"`networks` must be at least 2 to have a deviation, got {networks}.")
        return networks
