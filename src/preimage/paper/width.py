"""`preimage reproduce fig5|fig8|fig9`: Conv1-DeConv1 by width (Section 4.2)."""

from typing import Literal

from preimage.app.cli.commands import ReproduceCommand
from preimage.data.photo import Photo
from preimage.data.progress import progress_bar
from preimage.data.records import output_folder
from preimage.network.spec import ReconstructConfig
from preimage.paper import width_study as study
from preimage.paper.curves import Curve, slope, slope_difference
from preimage.paper.draw import COLOURS, save_figure
from preimage.paper.finding import Finding, verdict
from preimage.paper.overview import InfiniteWidth
from preimage.paper.sweep_draw import Line, Panel, draw_curves, draw_typical
from preimage.paper.sweeping import (
    UNPOOLS,
    command,
    counts,
    figure_photos,
    finish,
    num_networks,
    require,
    run_figure,
    write_curves,
    write_rows,
)
from preimage.scores.statistics import Interval
from preimage.sweeps.run import Results

FOLDER = "width"
WIDTHS = {
    "quick": (4, 8, 16, 32, 64, 128),
    "paper": (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048),
}
NETWORKS = {"quick": 20, "paper": 30}
LABELS = {"ssim": "SSIM", "pearson": "Pearson's r"}
METRICS: dict[str, Literal["ssim", "pearson"]] = {"fig8": "ssim", "fig9": "pearson"}
TITLES = {
    "conv": "(a) original: random last convolution",
    "mean": "(b) variant: mean over channels",
}
COLOUR: dict[str, str] = dict(zip(UNPOOLS, COLOURS, strict=False))
X_LABEL = "width (channels of every hidden layer)"
_PICTURE_ROWS = 4


def run(config: ReproduceCommand) -> list[Finding]:
    """The figure of `config.figure`, from the networks that the three figures share.

    Raises:
        Incomplete: time was up, or cells failed.
        ValueError: fewer than two networks.
    """
    networks = num_networks(config, NETWORKS)
    photos = figure_photos(config)
    grid = study.grid(WIDTHS[config.scale], networks, config.seed, config.device)
    results = run_figure(config, FOLDER, [grid], photos)
    if results is None:
        return []
    require(results, list(study.curves(results, "conv", "ssim").values()))
    if config.figure == "fig5":
        return finish(results, _pictures(config, results, photos))
    return finish(results, _charts(config, results, photos))


# --- Figures 8 and 9 ------------------------------------------------------------------------------


def _charts(config: ReproduceCommand, results: Results, photos: list[Photo]) -> list[Finding]:
    metric, folder = METRICS[config.figure], output_folder(config.out)
    curves = {head: study.curves(results, head, metric) for head in TITLES}
    lines = {
        head: [Line(by_width, COLOUR[unpool]) for unpool, by_width in curves[head].items()]
        for head in TITLES
    }
    tables = {f"{head}, {u}, {metric}": c for head in TITLES for u, c in curves[head].items()}
    if metric == "pearson":
        sizes = study.curves(results, "conv", metric, absolute=True)
        for unpool, by_width in sizes.items():
            named = Curve(f"{by_width.label}, |r|", by_width.values)
            lines["conv"].append(Line(named, COLOUR[unpool], dashed=True))
            tables[f"conv, {unpool}, |pearson|"] = by_width
        curves["conv"] = sizes
    limits = _limits(config, results, photos)
    lines["mean"] = [
        Line(line.curve, line.colour, limits[unpool][metric])
        for unpool, line in zip(UNPOOLS, lines["mean"], strict=True)
    ]
    panels = [Panel(TITLES[head], LABELS[metric], lines[head]) for head in TITLES]
    any_curve = curves["mean"]["zeros"]
    heading = (
        f"VGG16 Conv1-DeConv1, gaussian:0.1: mean ± std of per-network averages, "
        f"{counts(any_curve, len(photos))}"
    )
    picture = f"{config.figure}.png"
    save_figure(draw_curves(panels, X_LABEL, heading), folder / picture)
    table = write_curves(folder / f"{config.figure}.csv", "width", tables, len(photos))
    return [
        _growth(config, curves["conv"], "a", len(photos), picture, table),
        _contrast(config, curves, limits, len(photos), picture, table),
    ]


def _limits(
    config: ReproduceCommand, results: Results, photos: list[Photo]
) -> dict[str, dict[str, InfiniteWidth]]:
    base = ReconstructConfig(seed=config.seed, device=config.device)
    cache = output_folder(config.out) / FOLDER / "infinite_width.json"
    with progress_bar("infinite width", None) as advance:
        return study.limits(base, photos, cache, results.photos.sha256, advance)


def _growth(
    config: ReproduceCommand,
    curves: dict[str, Curve],
    part: str,
    photos: int,
    picture: str,
    table: str,
) -> Finding:
    """Whether quality grows with width in the original network."""
    metric = METRICS[config.figure]
    name = "|r|" if metric == "pearson" else "SSIM"
    slopes = {unpool: slope(by_width) for unpool, by_width in curves.items()}
    return Finding(
        f"{config.figure}{part}",
        f"Figure {config.figure[3:]}{part}: {LABELS[metric]} by width, the original network",
        "the increasing number of random channels promotes the reconstruction quality",
        f"{name} changes per doubling of the width by {_each(slopes)} (95 % intervals); "
        f"{_course(curves['zeros'])} with zeros; {counts(curves['zeros'], photos)}",
        verdict({1: True, 0: None, -1: False}[slopes["zeros"].sign]),
        (picture,),
        (table,),
        command(config),
    )


def _contrast(
    config: ReproduceCommand,
    curves: dict[str, dict[str, Curve]],
    limits: dict[str, dict[str, InfiniteWidth]],
    photos: int,
    picture: str,
    table: str,
) -> Finding:
    """Whether growth and convergence are plainer in the variant."""
    metric = METRICS[config.figure]
    slopes: dict[str, Interval] = {u: slope(curves["mean"][u]) for u in UNPOOLS}
    more: dict[str, Interval] = {
        u: slope_difference(curves["mean"][u], curves["conv"][u]) for u in UNPOOLS
    }
    widest = max(curves["mean"]["zeros"].values)
    ends = {h: curves[h]["zeros"].summary(widest) for h in TITLES}
    spread = {h: point.std / point.mean for h, point in ends.items()}
    end = {u: curves["mean"][u].summary(widest).mean for u in UNPOOLS}
    sign = min(slopes["zeros"].sign, more["zeros"].sign)  # zeros is the paper's unpooling
    plainer = {1: spread["mean"] < spread["conv"], 0: None, -1: False}[sign]
    reached = ", ".join(f"{end[u]:.3f} of {limits[u][metric].mean:.3f} with {u}" for u in UNPOOLS)
    return Finding(
        f"{config.figure}b",
        f"Figure {config.figure[3:]}b: {LABELS[metric]} by width, the variant",
        "the increasing trend and the convergence are much more apparent in the variant",
        f"the variant changes per doubling of the width by {_each(slopes)}, which is "
        f"{_each(more)} more than the original (95 % intervals, paired); at width {widest} its "
        f"deviation over networks is {100 * spread['mean']:.0f} % of the mean, the original's "
        f"{100 * spread['conv']:.0f} % (zeros), and it stands at {reached} at infinite width; "
        f"{counts(curves['mean']['zeros'], photos)}",
        verdict(plainer),
        (picture,),
        (table,),
        command(config),
    )


def _each(values: dict[str, Interval]) -> str:
    return ", ".join(f"{precise(value)} ({name})" for name, value in values.items())


def precise(value: Interval) -> str:
    """With three decimals: slopes are small."""
    return f"{value:+.3f}"


def _course(by_width: Curve) -> str:
    ends = (min(by_width.values), max(by_width.values))
    narrow, wide = (by_width.summary(x) for x in ends)
    return f"from {narrow.spread()} at {ends[0]} to {wide.spread()} at {ends[1]}"


# --- Figure 5 -------------------------------------------------------------------------------------


def _pictures(config: ReproduceCommand, results: Results, photos: list[Photo]) -> list[Finding]:
    folder = output_folder(config.out)
    widths = list(study.curves(results, "conv", "ssim")["zeros"].values)
    shown = photos[:_PICTURE_ROWS]
    pictures, rows = [], []
    families = (("conv", "zeros"), ("conv", "nearest"), ("mean", "zeros"), ("mean", "nearest"))
    with progress_bar("pictures", len(families) * len(shown) * len(widths)) as advance:
        for head, unpool in families:
            words = {"head": head, "unpool": unpool}
            sheet: list[dict[int, study.Typical]] = []
            for index in range(len(shown)):
                sheet.append({})
                for width in widths:
                    found = study.typical(results, words, index, width)
                    if found:
                        sheet[-1][width] = found
                        rows.append({**words, **_typical_row(shown[index], width, found)})
                    advance()
            heading = (
                f"Conv1-DeConv1, {TITLES[head][4:]}, {unpool} unpooling; above each picture its "
                "SSIM, the nearest to the mean over networks"
            )
            figure = draw_typical(shown, sheet, heading)
            pictures.append(save_figure(figure, folder / f"fig5_{head}_{unpool}.png").name)
    table = write_rows(folder / "fig5.csv", rows)
    curves = study.curves(results, "conv", "ssim")
    slopes = {unpool: slope(by_width) for unpool, by_width in curves.items()}
    variant = {u: slope(c) for u, c in study.curves(results, "mean", "ssim").items()}
    finding = Finding(
        "fig5",
        "Figure 5: the output whose SSIM is nearest the mean, by width",
        "the increasing number of channels promotes the random reconstruction quality",
        f"SSIM per doubling of the width: {_each(slopes)} in the original network, "
        f"{_each(variant)} in the variant (95 % intervals); {counts(curves['zeros'], len(photos))}",
        verdict({1: True, 0: None, -1: False}[slopes["zeros"].sign]),
        tuple(pictures),
        (table,),
        command(config),
    )
    return [finding]


def _typical_row(photo: Photo, width: int, found: study.Typical) -> dict[str, object]:
    return {
        "photo": photo.name,
        "width": width,
        "network": found.config.network_number,
        "ssim": found.reconstruction.ssim,
        "mean_ssim": found.mean,
        "networks": found.networks,
    }
