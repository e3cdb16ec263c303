"""A grid of random networks, and the sweep over it, in the words of the command line.

Nothing here imports torch, so that `preimage --help` answers at once.
"""

import itertools
from dataclasses import dataclass, fields
from typing import Any, Literal

from preimage.network.operations import PoolKind, UnpoolKind
from preimage.network.spec import (
    ArchitectureName,
    Checked,
    DeviceName,
    HeadName,
    InputName,
    ReconstructConfig,
    SimplifiedName,
)


@dataclass(frozen=True, kw_only=True)
class Execution(Checked):
    """Where and how long a sweep computes; none of it changes a number.

    Args:
        workers: Processes on this machine; as many as fit its cores if not given, or one where
            there is a GPU.
        threads: Threads a worker. Equal threads give equal bits.
        scheduler: Address of a Dask scheduler, such as tcp://host:8786; its workers compute then.
        max_minutes: Stop cleanly after this time; the same command goes on from there.
        dry_run: Print what would be computed and what it costs, and stop.
    """

    workers: int | None = None
    threads: int = 1
    scheduler: str | None = None
    max_minutes: float | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1, got {value}.")
        if self.max_minutes is not None and not self.max_minutes > 0:
            raise ValueError(f"--max-minutes must be positive, got {self.max_minutes}.")


@dataclass(frozen=True, kw_only=True)
class SweepConfig(Checked):
    """Every combination of the words given, each for a number of random networks.

    Args:
        architecture: The networks that both halves are taken from.
        layer: How far the CNN goes: blocks such as conv3, or convolutions such as conv3_1.
        pooled: Take the representation behind the pooling that follows the layer.
        pool: The kinds of every pooling.
        unpool: The kinds of every unpooling.
        width: Channels of every hidden layer; the architecture's own if not given.
        width_factor: Factor on the channels of every hidden layer.
        kernel_size: Sides of every kernel; the architecture's own if not given.
        slope: Slopes of the activation below zero: 0 ReLU, 0.2 the paper's leaky ReLU, 1 none.
        simplified: The image straight to the layer's block, as in Figure 7's second row.
        head: The last convolution, or in its place the mean over channels (Section 4.2).
        weights: The laws of the weights, such as gaussian:0.1 or uniform:fan-in.
        networks: Random networks a combination; network 7 has the same random streams in all.
        seed: Seed of all random streams.
        size: Photos are cropped to their centre square and resized to this side; 0 keeps them.
        input: Pixels in [0, 255], or with the ImageNet mean subtracted.
        device: Where to compute; auto takes a GPU if there is one.
    """

    architecture: tuple[ArchitectureName, ...] = ("vgg16",)
    layer: tuple[str, ...] = ("conv3",)
    pooled: bool = False
    pool: tuple[PoolKind, ...] = ("max",)
    unpool: tuple[UnpoolKind, ...] = ("zeros",)
    width: tuple[int, ...] = ()
    width_factor: float | None = None
    kernel_size: tuple[int, ...] = ()
    slope: tuple[float, ...] = (0.0,)
    simplified: tuple[SimplifiedName, ...] = ("no",)
    head: tuple[HeadName, ...] = ("conv",)
    weights: tuple[str, ...] = ("gaussian:0.1",)
    networks: int = 5
    seed: int = 0
    size: int = 227
    input: InputName = "nonnegative"
    device: DeviceName = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.networks < 1:
            raise ValueError(f"--networks must be at least 1, got {self.networks}.")

    def cells(self) -> list[ReconstructConfig]:
        """One config a combination and network, in a fixed order, networks running fastest.

        Raises:
            ValueError: a list is empty, or a word does not fit the architecture.
        """
        axes: dict[str, tuple[Any, ...]] = {}
        for field in fields(SweepConfig):
            if field.name == "networks":
                continue
            value = getattr(self, field.name)
            if not isinstance(value, tuple):
                axes[field.name] = (value,)
            elif value:
                axes[field.name] = tuple(dict.fromkeys(value))
            elif field.default == ():
                axes[field.name] = (None,)
            else:
                raise ValueError(f"--{field.name.replace('_', '-')} needs at least one value.")
        cells = []
        for words in itertools.product(*axes.values()):
            named = dict(zip(axes, words, strict=True))
            ReconstructConfig(**named).network()  # refuses words that do not fit, before any work
            cells += [
                ReconstructConfig(**named, network_number=number) for number in range(self.networks)
            ]
        return cells


@dataclass(frozen=True, kw_only=True)
class SweepCommand(SweepConfig, Execution):
    """Reconstruct photos by every network of a grid; goes on where it stopped.

    Args:
        action: run computes what is missing; status says what is done, missing and failed.
        data: Image files, folders, zips or quoted glob patterns; four photos that scikit-image
            ships if not given.
        photos: Take the first so many photos of the data; all if not given.
        out: Folder for a file a cell (cells/), the table (table.csv) and what it belongs to.
        parquet: Write the table as table.parquet too; needs the extra `parquet`.
    """

    action: Literal["run", "status"] = "run"
    data: tuple[str, ...] = ()
    photos: int | None = None
    out: str = "preimage-sweep"
    parquet: bool = False
