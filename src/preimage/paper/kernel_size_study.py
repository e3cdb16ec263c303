"""Conv1_1-DeConv1_1 by kernel size (Section 4.3): Figure 10, two convolutions and no pool."""

from preimage.network.spec import DeviceName
from preimage.paper.curves import Curve, curve
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.run import Results

KERNEL_SIZES = (3, 5, 7, 11, 15, 21, 31)
WIDTH = 64


def grid(networks: int, seed: int, device: DeviceName) -> SweepConfig:
    """Both heads at every kernel size; one CNN serves both."""
    return SweepConfig(
        layer=("conv1_1",),
        kernel_size=KERNEL_SIZES,
        width=(WIDTH,),
        head=("conv", "mean"),
        networks=networks,
        seed=seed,
        device=device,
    )


def by_kernel_size(
    results: Results, head: str, metric: str, label: str, absolute: bool = False
) -> Curve:
    """The score of one head over the kernel sizes."""
    return curve(results, label, "kernel_size", {"head": head}, metric, absolute)
