"""`preimage reproduce fig10`: Conv1_1-DeConv1_1 by kernel size (Section 4.3)."""

from preimage.app.cli.commands import ReproduceCommand
from preimage.data.records import output_folder
from preimage.paper import kernel_size_study as study
from preimage.paper.curves import Curve, slope
from preimage.paper.draw import COLOURS, save_figure
from preimage.paper.finding import Finding, verdict
from preimage.paper.sweep_draw import Line, Panel, draw_curves
from preimage.paper.sweeping import (
    command,
    counts,
    figure_photos,
    finish,
    num_networks,
    require,
    run_figure,
    write_curves,
)
from preimage.paper.width import precise

FOLDER = "kernel_size"
NETWORKS = {"quick": 10, "paper": 30}
HEADS = {"conv": "original: random last convolution", "mean": "variant: mean over channels"}


def run(config: ReproduceCommand) -> list[Finding]:
    """SSIM and |r| over the kernel size, for the original and the variant.

    Raises:
        Incomplete: time was up, or cells failed.
        ValueError: fewer than two networks.
    """
    networks = num_networks(config, NETWORKS)
    photos = figure_photos(config)
    grid = study.grid(networks, config.seed, config.device)
    results = run_figure(config, FOLDER, [grid], photos)
    if results is None:
        return []
    ssim, size = (
        {
            head: study.by_kernel_size(results, head, metric, label, absolute=True)
            for head, label in HEADS.items()
        }
        for metric in ("ssim", "pearson")
    )
    require(results, [*ssim.values(), *size.values()])
    folder = output_folder(config.out)
    panels = [
        Panel(
            f"{title} by kernel size",
            title,
            [Line(c, k) for c, k in zip(curves.values(), COLOURS, strict=False)],
        )
        for title, curves in (("SSIM", ssim), ("|Pearson's r|", size))
    ]
    heading = (
        f"VGG16 Conv1_1-DeConv1_1, width {study.WIDTH}, gaussian:0.1: mean ± std of per-network "
        f"averages, {counts(ssim['conv'], len(photos))}"
    )
    chart = draw_curves(panels, "kernel size (pixels)", heading)
    save_figure(chart, folder / "fig10.png")
    named = {f"{head}, ssim": c for head, c in ssim.items()}
    named |= {f"{head}, |pearson|": c for head, c in size.items()}
    table = write_curves(folder / "fig10.csv", "kernel_size", named, len(photos))
    return finish(results, [_finding(config, ssim, size, len(photos), table)])


def _finding(
    config: ReproduceCommand,
    ssim: dict[str, Curve],
    size: dict[str, Curve],
    photos: int,
    table: str,
) -> Finding:
    decay = {head: slope(by_size) for head, by_size in ssim.items()}
    names = {"conv": "original", "mean": "variant"}
    falls, courses = (
        ", ".join(f"{text(curve)} ({names[head]})" for head, curve in curves.items())
        for text, curves in (
            (lambda c: precise(slope(c)), size),
            (_course, ssim),
        )
    )
    each = ", ".join(f"{precise(value)} ({names[head]})" for head, value in decay.items())
    signs = {value.sign for value in decay.values()}
    return Finding(
        "fig10",
        "Figure 10: SSIM by kernel size",
        "the reconstruction quality decays with larger kernel size",
        f"SSIM changes per doubling of the kernel size by {each}, |r| by {falls} (95 % "
        f"intervals); SSIM {courses}; {counts(ssim['conv'], photos)}",
        verdict({-1: True, 1: False}.get(signs.pop()) if len(signs) == 1 else None),
        ("fig10.png",),
        (table,),
        command(config),
    )


def _course(by_size: Curve) -> str:
    ends = (min(by_size.values), max(by_size.values))
    first, last = (by_size.summary(x) for x in ends)
    return f"from {first.spread()} at {ends[0]} to {last.spread()} at {ends[1]}"
