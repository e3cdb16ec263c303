"""Figures 8 and 9: SSIM and Pearson's r of Conv1-DeConv1 by width (Section 4.2).

Figure 5 (`preimage.paper.typical`) shows pictures of the same networks.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from preimage.data.cost import Cost
from preimage.data.photo import Photo
from preimage.data.progress import progress_bar
from preimage.data.records import output_folder
from preimage.network.spec import HeadName
from preimage.paper.curve_draw import Line, Panel, draw_curves
from preimage.paper.curves import (
    Curve,
    common_values,
    curve,
    relative_std,
    relative_std_ratio,
    slope,
    slope_difference,
)
from preimage.paper.decision import Decision, all_of, is_above, is_below_one
from preimage.paper.draw import COLOURS, save_figure
from preimage.paper.figure_sweep import figure_photos, finish, grid_cost, require, run_grid
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.infinite_width import Limits, infinite_widths
from preimage.paper.options import UNPOOLS, FigureOptions
from preimage.paper.tables import write_curves
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.run import Results

Metric = Literal["ssim", "pearson"]
Curves = dict[HeadName, dict[str, Curve]]  # head → unpooling → curve

FOLDER = "width"
WIDTHS = {
    "quick": (4, 8, 16, 32, 64, 128),
    "paper": (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048),
}
NETWORKS = {"quick": 120, "paper": 30}
HEADS: dict[HeadName, str] = {
    "conv": "(a) original: random last convolution",
    "mean": "(b) variant: mean over channels",
}
METRICS: dict[str, Metric] = {"fig8": "ssim", "fig9": "pearson"}
#: How each is written; a zero-mean last convolution leaves the sign of r to chance, hence |r|.
_NAMES = {"fig8": ("SSIM", "SSIM"), "fig9": ("|r|", "r")}
#: Growth per doubling of the width, of SSIM or |r|, that does not count: over the paper's nine
#: doublings 0.18 in all, about the standard deviation of |r| over networks of one width.
NEGLIGIBLE = 0.02
_LABELS = {"ssim": "SSIM", "pearson": "Pearson's r"}
_COLOUR = dict(zip(UNPOOLS, COLOURS, strict=False))
_BATCH = 4  # photos; the limit of 50 at once would take several GB


def _claims(figure: str) -> dict[str, Claim]:
    title = f"Figure {figure.removeprefix('fig')}"
    label = _LABELS[METRICS[figure]]
    return {
        "growth": Claim(
            f"{figure}a",
            figure,
            f"{title}a: {label} by width, the original network",
            "the increasing number of random channels promotes the reconstruction quality",
        ),
        "contrast": Claim(
            f"{figure}b_growth",
            figure,
            f"{title}b: {label} by width, growth in the variant",
            "the increasing trend is much more apparent in the variant",
        ),
        "convergence": Claim(
            f"{figure}b_convergence",
            figure,
            f"{title}b: {label} by width, convergence in the variant",
            "the convergence is much more apparent in the variant",
        ),
    }


CLAIMS = {figure: _claims(figure) for figure in METRICS}


def grid(options: FigureOptions) -> SweepConfig:
    """Both heads and both unpoolings at every width: one CNN serves all four."""
    return SweepConfig(
        layer=("conv1",),
        pooled=True,
        width=WIDTHS[options.scale],
        unpool=UNPOOLS,
        head=tuple(HEADS),
        networks=options.num_networks(NETWORKS),
        seed=options.seed,
        device=options.device,
    )


def run(options: FigureOptions) -> list[Finding]:
    """Figure 8 or 9, from the networks that they share with Figure 5.

    Raises:
        Incomplete: time was up, or cells failed.
        ValueError: fewer than two networks.
    """
    sweep = grid(options)
    photos = figure_photos(options)
    results = run_grid(options, FOLDER, sweep, photos)
    metric = METRICS[options.figure]
    curves: Curves = {
        "conv": by_width(results, "conv", metric, absolute=metric == "pearson"),
        "mean": by_width(results, "mean", metric),
    }
    require(results, [c for of_head in curves.values() for c in of_head.values()])
    limits = _limits(options, results, photos)
    files = _draw(options, results, curves, limits, len(photos))
    judged = {head: {u: c.judged for u, c in of_head.items()} for head, of_head in curves.items()}
    findings = [
        _growth(options.figure, judged["conv"], files),
        _contrast(options.figure, judged, files),
        _convergence(options.figure, judged, limits, files),
    ]
    return finish(options, FOLDER, results, findings)


def cost(options: FigureOptions) -> Cost:
    """Cells, work and time."""
    return grid_cost(options, FOLDER, grid(options))


def by_width(
    results: Results, head: HeadName, metric: str, absolute: bool = False
) -> dict[str, Curve]:
    """One curve per unpooling."""
    return {
        unpool: curve(
            results,
            f"{unpool} unpooling",
            "width",
            {"head": head, "unpool": unpool},
            metric,
            absolute,
        )
        for unpool in UNPOOLS
    }


def _limits(options: FigureOptions, results: Results, photos: Sequence[Photo]) -> Limits:
    cache = output_folder(options.out) / FOLDER / "infinite_width.json"
    with progress_bar("infinite width", None) as advance:
        return infinite_widths(options.seed, photos, cache, results.photos.sha256, advance)


# --- the chart ------------------------------------------------------------------------------------


def _draw(
    options: FigureOptions, results: Results, curves: Curves, limits: Limits, photos: int
) -> "_Files":
    """Writes picture and table."""
    figure, metric = options.figure, METRICS[options.figure]
    drawn: dict[HeadName, list[Line]] = {"conv": [], "mean": []}
    named: dict[str, Curve] = {}
    for unpool, colour in _COLOUR.items():
        signed = by_width(results, "conv", metric)[unpool]
        variant = curves["mean"][unpool]
        drawn["conv"].append(Line(signed, colour))
        drawn["mean"].append(Line(variant, colour, limits[unpool][metric]))
        named[f"conv, {unpool}, {metric}"] = signed
        named[f"mean, {unpool}, {metric}"] = variant
        if metric == "pearson":
            size = Curve(f"{signed.label}, |r|", curves["conv"][unpool].values)
            drawn["conv"].append(Line(size, colour, dashed=True))
            named[f"conv, {unpool}, |pearson|"] = size
    networks = curves["mean"]["zeros"].networks
    heading = (
        f"VGG16 Conv1-DeConv1, gaussian:0.1: mean ± std of per-network averages, "
        f"{networks} networks × {photos} photos per point"
    )
    panels = [Panel(title, _LABELS[metric], drawn[head]) for head, title in HEADS.items()]
    chart = draw_curves(panels, "width (channels of every hidden layer)", heading)
    folder = output_folder(options.out)
    picture = save_figure(chart, folder / f"{figure}.png").name
    return _Files(photos, picture, write_curves(folder / f"{figure}.csv", "width", named, photos))


# --- what they show -------------------------------------------------------------------------------


class _Files(NamedTuple):
    photos: int
    picture: str
    table: str


def _finding(
    claim: Claim,
    sentence: str,
    decision: Decision,
    numbers: Mapping[str, Number],
    brief: str,
    files: _Files,
) -> Finding:
    per_point = "{networks} networks × {photos} photos per point"
    return claim.finding(
        f"{sentence} (95 % intervals over networks; {per_point})",
        decision,
        {**numbers, "photos": files.photos},
        brief=f"{brief}; {per_point}",
        pictures=(files.picture,),
        tables=(files.table,),
    )


def _growth(figure: str, original: dict[str, Curve], files: _Files) -> Finding:
    """Whether quality grows with width in the original network."""
    zeros, name = original["zeros"], _NAMES[figure][0]
    narrow, wide = min(zeros.values), max(zeros.values)
    slopes = {unpool: slope(by_width) for unpool, by_width in original.items()}
    return _finding(
        CLAIMS[figure]["growth"],
        f"{name} changes per doubling of the width by {{zeros:+.3f}} (zeros) and {{nearest:+.3f}} "
        "(nearest); with zeros from {first:.3f} at width {narrow} to {last:.3f} at {wide}; less "
        "than {negligible} is no growth to speak of",
        is_above(slopes["zeros"], NEGLIGIBLE),
        {
            **slopes,
            "negligible": NEGLIGIBLE,
            "first": zeros.interval(narrow),
            "last": zeros.interval(wide),
            "narrow": narrow,
            "wide": wide,
            "networks": zeros.networks,
        },
        f"{name} per doubling of the width from {{narrow}} to {{wide}}: {{zeros:+.3f}} (zeros), "
        "{nearest:+.3f} (nearest), less than {negligible} counting as none",
        files,
    )


def _contrast(figure: str, curves: Curves, files: _Files) -> Finding:
    """Whether the variant grows, and grows more than the original."""
    slopes = {f"slope_{u}": slope(curves["mean"][u]) for u in UNPOOLS}
    more = {f"more_{u}": slope_difference(curves["mean"][u], curves["conv"][u]) for u in UNPOOLS}
    return _finding(
        CLAIMS[figure]["contrast"],
        f"the variant's {_NAMES[figure][1]} changes per doubling of the width by "
        "{slope_zeros:+.3f} (zeros) and {slope_nearest:+.3f} (nearest), which is {more_zeros:+.3f} "
        f"and {{more_nearest:+.3f}} more than the original's {_NAMES[figure][0]}, network against "
        "network",
        all_of(is_above(slopes["slope_zeros"]), is_above(more["more_zeros"])),
        {**slopes, **more, "networks": curves["mean"]["zeros"].networks},
        "per doubling {slope_zeros:+.3f} (zeros), {slope_nearest:+.3f} (nearest); more than the "
        "original by {more_zeros:+.3f}, {more_nearest:+.3f}",
        files,
    )


def _convergence(figure: str, curves: Curves, limits: Limits, files: _Files) -> Finding:
    """Whether networks of the variant differ less, at the largest width, for their mean."""
    widest = max(curves["mean"]["zeros"].values)
    variant, original = common_values(
        *(curves[head]["zeros"].values[widest] for head in ("mean", "conv"))
    )
    ratio = relative_std_ratio(variant, original)
    metric = METRICS[figure]
    reached = {f"mean_{u}": curves["mean"][u].interval(widest) for u in UNPOOLS}
    limit = {f"limit_{u}": limits[u][metric].mean for u in UNPOOLS}
    return _finding(
        CLAIMS[figure]["convergence"],
        "at width {width} the variant's deviation over networks is {spread_mean:.1f} % of its "
        "mean and the original's {spread_conv:.1f} % with zeros, a ratio of {ratio:.2f} "
        "({ratio_low:.2f} to {ratio_high:.2f}); the variant stands at {mean_zeros:.3f} of "
        "{limit_zeros:.3f} at infinite width with zeros, {mean_nearest:.3f} of "
        "{limit_nearest:.3f} with nearest",
        is_below_one(ratio),
        {
            "width": widest,
            "spread_mean": 100 * relative_std(variant),
            "spread_conv": 100 * relative_std(original),
            "ratio": ratio.value,
            "ratio_low": ratio.low,
            "ratio_high": ratio.high,
            **reached,
            **limit,
            "networks": ratio.n,
        },
        "deviation over networks at width {width}: {spread_mean:.1f} % of the mean, the original's "
        "{spread_conv:.1f} % (ratio {ratio_low:.2f} to {ratio_high:.2f}); {mean_nearest:.3f} of "
        "{limit_nearest:.3f} at infinite width (nearest)",
        files,
    )
