"""A grid of random networks, and where and how long to compute it.

Nothing here imports torch, so that a command line can show its help at once.
"""

import itertools
from dataclasses import dataclass, fields
from typing import Any

from preimage.network.operations import PoolKind, UnpoolKind
from preimage.network.ranges import (
    Above0,
    Kernel,
    Positive,
    Processes,
    SideOrAsItIs,
    Slope,
)
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
        workers: Processes on this machine; by default as many as fit its cores, or one if there
            is a GPU.
        threads: Threads per worker. The same number of threads gives the same bits.
        scheduler: Address of a Dask scheduler, such as tcp://host:8786, whose workers compute
            instead.
        max_minutes: Stop after this time, keeping what is finished; the next run goes on from
            there.
    """

    workers: Processes | None = None
    threads: Processes = 1
    scheduler: str | None = None
    max_minutes: Above0 | None = None


@dataclass(frozen=True, kw_only=True)
class SweepConfig(Checked):
    """Every combination of the values given, each for a number of random networks.

    Args:
        architecture: The networks that both halves are taken from.
        layer: The last layers of the CNN: blocks such as conv3, or convolutions such as conv3_1.
        pooled: Take the representation after the pooling that follows the layer.
        pool: The kinds of every pooling.
        unpool: The kinds of every unpooling.
        width: Channels of every hidden layer; by default the architecture's own.
        width_factor: Factor on the channels of every hidden layer.
        kernel_size: Sides of every kernel; by default the architecture's own.
        slope: Slopes of the activation below zero: 0 is ReLU, 0.2 the paper's leaky ReLU, 1 no
            activation.
        simplified: Connect the image directly to the layer's block, as in Figure 7's second row.
        head: The last convolution, or in its place the mean over channels (Section 4.2).
        weights: A law such as gaussian:0.015 or gaussian:fan-in, or several: these networks are
            random.
        networks: Random networks per combination; network 7 has the same random streams in all.
        seed: Seed of all random streams.
        size: Photos are cropped to their central square and resized to this side; 0 keeps them as
            they are.
        input: Pixels in [0, 255], or with the ImageNet mean subtracted.
        device: Where to compute; auto uses a GPU if there is one.
    """

    architecture: tuple[ArchitectureName, ...] = ("vgg16",)
    layer: tuple[str, ...] = ("conv3",)
    pooled: bool = False
    pool: tuple[PoolKind, ...] = ("max",)
    unpool: tuple[UnpoolKind, ...] = ("zeros",)
    width: tuple[Positive, ...] = ()
    width_factor: Above0 | None = None
    kernel_size: tuple[Kernel, ...] = ()
    slope: tuple[Slope, ...] = (0.0,)
    simplified: tuple[SimplifiedName, ...] = ("no",)
    head: tuple[HeadName, ...] = ("conv",)
    weights: tuple[str, ...] = ("gaussian:0.1",)
    networks: Positive = 5
    seed: int = 0
    size: SideOrAsItIs = ReconstructConfig.size
    input: InputName = "nonnegative"
    device: DeviceName = "auto"

    def cells(self) -> list[ReconstructConfig]:
        """One config per combination and network, in a fixed order, networks running fastest.

        Raises:
            ValueError: a list is empty, there is no such law, or a value does not fit the
                architecture.
        """
        from preimage.network.laws import Law

        for weights in self.weights:
            Law.parse(weights)
        axes = {
            field.name: _axis(field.name, getattr(self, field.name), field.default)
            for field in fields(SweepConfig)
            if field.name != "networks"
        }
        cells = []
        for values in itertools.product(*axes.values()):
            options = dict(zip(axes, values, strict=True))
            ReconstructConfig(**options).network()  # refuses what does not fit, before any work
            cells += [
                ReconstructConfig(**options, network_number=number)
                for number in range(self.networks)
            ]
        return cells


def _axis(name: str, value: Any, default: Any) -> tuple[Any, ...]:
    """The different values of one option of the grid; None stands for the architecture's own."""
    if not isinstance(value, tuple):
        return (value,)
    if not value and default != ():
        raise ValueError(f"`{name}` needs at least one value.")
    return tuple(dict.fromkeys(value)) or (None,)
