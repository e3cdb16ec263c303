"""Figure 10: Conv1_1-DeConv1_1, two convolutions and no pool, by kernel size (Section 4.3)."""

from preimage.data.cost import Cost
from preimage.data.records import output_folder
from preimage.network.spec import HeadName
from preimage.paper.curve_draw import Line, Panel, draw_curves
from preimage.paper.curves import Curve, curve, slope
from preimage.paper.decision import is_below
from preimage.paper.draw import COLOURS, save_figure
from preimage.paper.figure_sweep import figure_photos, finish, grid_cost, require, run_grid
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import FigureOptions
from preimage.paper.tables import write_curves
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.run import Results

FOLDER = "kernel_size"
NETWORKS = {"quick": 10, "paper": 30}
KERNEL_SIZES = (3, 5, 7, 11, 15, 21, 31)
WIDTH = 64
HEADS: dict[HeadName, str] = {
    "conv": "original: random last convolution",
    "mean": "variant: mean over channels",
}
_STATEMENT = "the reconstruction quality decays with larger kernel size"
CLAIMS: dict[HeadName, Claim] = {
    "conv": Claim("fig10", "fig10", "Figure 10: SSIM by kernel size", _STATEMENT),
    "mean": Claim(
        "fig10_variant", "fig10", "Figure 10, for the variant: SSIM by kernel size", _STATEMENT
    ),
}


def grid(options: FigureOptions) -> SweepConfig:
    """Both heads at every kernel size; one CNN serves both."""
    return SweepConfig(
        layer=("conv1_1",),
        kernel_size=KERNEL_SIZES,
        width=(WIDTH,),
        head=tuple(HEADS),
        networks=options.num_networks(NETWORKS),
        seed=options.seed,
        device=options.device,
    )


def run(options: FigureOptions) -> list[Finding]:
    """SSIM and |r| over the kernel size, for the original and the variant.

    Raises:
        Incomplete: time was up, or cells failed.
        ValueError: fewer than two networks.
    """
    sweep = grid(options)
    photos = figure_photos(options)
    results = run_grid(options, FOLDER, sweep, photos)
    ssim, size = _curves(results, "ssim"), _curves(results, "pearson")
    require(results, [*ssim.values(), *size.values()])
    folder = output_folder(options.out)
    networks = ssim["conv"].networks
    heading = (
        f"VGG16 Conv1_1-DeConv1_1, width {WIDTH}, gaussian:0.1: mean ± std of per-network "
        f"averages, {networks} networks × {len(photos)} photos per point"
    )
    panels = [
        Panel(f"{name} by kernel size", name, _lines(curves))
        for name, curves in (("SSIM", ssim), ("|Pearson's r|", size))
    ]
    picture = save_figure(
        draw_curves(panels, "kernel size (pixels)", heading), folder / "fig10.png"
    )
    named = {f"{head}, ssim": c for head, c in ssim.items()}
    named |= {f"{head}, |pearson|": c for head, c in size.items()}
    table = write_curves(folder / "fig10.csv", "kernel_size", named, len(photos))
    files = (picture.name, table)
    return finish(
        options, FOLDER, results, [_finding(h, ssim[h], size[h], len(photos), files) for h in HEADS]
    )


def cost(options: FigureOptions) -> Cost:
    """Cells, work and time."""
    return grid_cost(options, FOLDER, grid(options))


def _curves(results: Results, metric: str) -> dict[HeadName, Curve]:
    return {
        head: curve(results, label, "kernel_size", {"head": head}, metric, absolute=True)
        for head, label in HEADS.items()
    }


def _lines(curves: dict[HeadName, Curve]) -> list[Line]:
    return [Line(c, colour) for c, colour in zip(curves.values(), COLOURS, strict=False)]


def _finding(
    head: HeadName, ssim: Curve, size: Curve, photos: int, files: tuple[str, str]
) -> Finding:
    ends = (min(ssim.values), max(ssim.values))
    decay = slope(ssim)
    return CLAIMS[head].finding(
        "SSIM changes by {ssim:+.3f} and |r| by {r:+.3f} per doubling of the kernel size; SSIM "
        "falls from {first:.3f} at {smallest} to {last:.3f} at {largest} pixels (95 % intervals "
        "over networks; {networks} networks × {photos} photos per point)",
        is_below(decay),
        {
            "ssim": decay,
            "r": slope(size),
            "smallest": ends[0],
            "largest": ends[1],
            "first": ssim.interval(ends[0]),
            "last": ssim.interval(ends[1]),
            "networks": ssim.networks,
            "photos": photos,
        },
        brief="{ssim:+.3f} SSIM per doubling, from {first:.2f} at {smallest} pixels to {last:.2f} "
        "at {largest}; {networks} networks × {photos} photos",
        pictures=files[:1],
        tables=files[1:],
    )
