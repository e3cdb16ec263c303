"""Figure 7: random networks by layer, whole ones above simplified ones (Section 4.1)."""

from collections.abc import Mapping
from dataclasses import replace

from matplotlib.figure import Figure

from preimage.data.cost import Cost
from preimage.data.photo import Photo
from preimage.data.progress import progress_bar
from preimage.data.records import output_folder
from preimage.network.architectures import LAYERS
from preimage.network.spec import SimplifiedName
from preimage.paper.curves import Curve, curve, over_points, paired
from preimage.paper.decision import is_below, is_within
from preimage.paper.draw import COLOURS, caption, grey_photo, save_figure, without_ticks
from preimage.paper.figure_sweep import figure_photos, finish, grid_cost, require, run_grid
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import UNPOOLS, FigureOptions
from preimage.paper.tables import write_curves
from preimage.scores.statistics import Interval
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.run import Results

Curves = dict[tuple[str, str], Curve]  # (row, unpooling) → curve

FOLDER = "layers"
NETWORKS = {"quick": 30, "paper": 30}
#: The paper's two rows, and the option that makes the second: the image straight to the block.
ROWS: dict[str, SimplifiedName] = {"whole": "no", "simplified": "resized"}
#: How far apart, in |r|, two networks may be and still be called similar; chosen beforehand.
SIMILAR = 0.1
_CATS = ("cat", "chelsea")
_STYLES = {"zeros": "-", "nearest": "--"}
DEPTH = Claim(
    "fig7_depth",
    "fig7",
    "Figure 7, row 1: reconstructions by layer",
    "the deeper the random representations are, the coarser the reconstructed images are",
)
SIMPLIFIED = Claim(
    "fig7_simplified",
    "fig7",
    "Figure 7, row 2: the image straight to block Conv k",
    "the reconstruction quality is similar to that of the first row: the layer's dimension "
    "contributes much, the network's depth only a little",
)


def grid(options: FigureOptions, networks: int | None = None) -> SweepConfig:
    """VGG16's five layers, whole and simplified, both unpoolings."""
    return SweepConfig(
        layer=LAYERS,
        simplified=tuple(ROWS.values()),
        unpool=UNPOOLS,
        networks=networks or options.num_networks(NETWORKS),
        seed=options.seed,
        device=options.device,
    )


def run(options: FigureOptions) -> list[Finding]:
    """Pictures of the cat (or the first photo), and |r| over the layers for all photos.

    Raises:
        Incomplete: time was up, or cells failed.
        ValueError: fewer than two networks.
    """
    sweep = grid(options)
    photos = figure_photos(options)
    results = run_grid(options, FOLDER, sweep, photos)
    curves = _curves(results, "pearson", absolute=True)
    require(results, list(curves.values()))
    if any(set(by_layer.values) != set(LAYERS) for by_layer in curves.values()):
        return finish(options, FOLDER, results, [])
    folder = output_folder(options.out)
    photo = next((photo for photo in photos if photo.name in _CATS), photos[0])
    heading = f"VGG16, nothing trained, gaussian:0.1: network 0 of seed {options.seed}"
    sheet = draw_layers(photo, _pictures(options, photo), heading)
    networks = curves["whole", "zeros"].networks
    heading = f"mean ± std over networks, {networks} networks × {len(photos)} photos per point"
    pictures = [
        save_figure(sheet, folder / "fig7.png", dpi=120).name,
        save_figure(draw_by_layer(curves, heading), folder / "fig7_curves.png").name,
    ]
    named = {f"{row}, {unpool}, |pearson|": c for (row, unpool), c in curves.items()}
    ssim = _curves(results, "ssim")
    named |= {f"{row}, {unpool}, ssim": c for (row, unpool), c in ssim.items()}
    table = write_curves(folder / "fig7.csv", "layer", named, len(photos))
    return finish(
        options,
        FOLDER,
        results,
        [
            replace(finding, pictures=tuple(pictures), tables=(table,))
            for finding in (_depth(curves, len(photos)), _simplified(curves, len(photos)))
        ],
    )


def cost(options: FigureOptions) -> Cost:
    """Cells, work and time."""
    return grid_cost(options, FOLDER, grid(options))


def _curves(results: Results, metric: str, absolute: bool = False) -> Curves:
    return {
        (row, unpool): curve(
            results,
            f"{row}, {unpool}",
            "layer",
            {"simplified": simplified, "unpool": unpool},
            metric,
            absolute,
        )
        for row, simplified in ROWS.items()
        for unpool in UNPOOLS
    }


def _pictures(options: FigureOptions, photo: Photo) -> dict[str, dict[str, Reconstruction]]:
    """The two rows of the paper with each unpooling, by network 0."""
    cells = grid(options, networks=1).cells()
    rows: dict[str, dict[str, Reconstruction]] = {
        f"{row}, {unpool}": {} for unpool in UNPOOLS for row in ROWS
    }
    row_of = {simplified: row for row, simplified in ROWS.items()}
    with progress_bar("pictures", len(cells)) as advance:
        for cell in cells:
            name = f"{row_of[cell.simplified]}, {cell.unpool}"
            rows[name][cell.layer] = RandomPair(cell)(photo)
            advance()
    return rows


# --- the pictures ---------------------------------------------------------------------------------


def draw_layers(
    photo: Photo, rows: Mapping[str, Mapping[str, Reconstruction]], heading: str
) -> Figure:
    """The photo and its reconstructions from each layer, one row per kind of network."""
    columns = 1 + max(len(row) for row in rows.values())
    figure = Figure(figsize=(1.75 * columns, 2 * len(rows) + 0.4), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        line[0].imshow(grey_photo(photo), cmap="gray", vmin=0, vmax=1)
        line[0].set_title(photo.name[:22], fontsize=8)
        line[0].set_ylabel(name, fontsize=8)
        for axis, (layer, result) in zip(line[1:], row.items(), strict=False):
            axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{layer.capitalize()}: {caption(result)}", fontsize=6.5)
    return without_ticks(figure)


def draw_by_layer(curves: Curves, heading: str) -> Figure:
    """|r| over the layers, mean ± std over networks."""
    figure = Figure(figsize=(5.6, 4), layout="constrained")
    figure.suptitle(heading, fontsize=9)
    axis = figure.subplots()
    for index, ((row, unpool), by_layer) in enumerate(curves.items()):
        points = [by_layer.interval(layer) for layer in LAYERS]
        axis.errorbar(
            [place + 0.05 * (index - (len(curves) - 1) / 2) for place in range(len(points))],
            [point.mean for point in points],
            yerr=[point.std for point in points],
            fmt=f"o{_STYLES[unpool]}",
            color=COLOURS[list(ROWS).index(row)],
            markersize=4,
            linewidth=1.3,
            capsize=2,
            label=by_layer.label,
        )
    axis.set_xticks(range(len(LAYERS)), [layer.capitalize() for layer in LAYERS])
    axis.set(xlabel="layer", ylabel="|Pearson's r|, grey", ylim=(0, 1))
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="best", fontsize=8, frameon=False)
    return figure


# --- what they show -------------------------------------------------------------------------------

_PER_POINT = "(95 % intervals over networks, paired; {networks} networks × {photos} photos)"


def _course(curves: Curves, row: str) -> tuple[str, dict[str, Interval]]:
    """The means over the layers with each unpooling: a format string, and its numbers."""
    numbers = {
        f"{unpool}_{layer}": curves[row, unpool].interval(layer)
        for unpool in UNPOOLS
        for layer in LAYERS
    }
    return "; ".join(
        " → ".join(f"{{{unpool}_{layer}.mean:.2f}}" for layer in LAYERS) + f" with {unpool}"
        for unpool in UNPOOLS
    ), numbers


def _depth(curves: Curves, photos: int) -> Finding:
    """Conv5 against Conv1, network 7 against network 7."""
    decay: dict[str, Interval] = {
        unpool: paired(*(curves["whole", unpool].values[x] for x in (LAYERS[-1], LAYERS[0])))
        for unpool in UNPOOLS
    }
    course, numbers = _course(curves, "whole")
    return DEPTH.finding(
        f"|r| from Conv1 to Conv5: {course}; the difference between Conv5 and Conv1 is "
        f"{{zeros:+.2f}} (zeros) and {{nearest:+.2f}} (nearest) {_PER_POINT}",
        is_below(decay["zeros"]),
        {**numbers, **decay, "networks": curves["whole", "zeros"].networks, "photos": photos},
        brief=f"|r| {_brief()}; Conv5 − Conv1 {{zeros:+.2f}} (zeros), {{nearest:+.2f}} (nearest); "
        "{networks} networks × {photos} photos",
    )


def _simplified(curves: Curves, photos: int) -> Finding:
    """The simplified network against the whole one, of the averages over the layers.

    Of those behind the first, up to which both are the same network.
    """
    behind = {
        key: Curve(c.label, {x: c.values[x] for x in LAYERS[1:]}) for key, c in curves.items()
    }
    gap: dict[str, Interval] = {
        unpool: paired(*(over_points(behind[row, unpool]) for row in ("simplified", "whole")))
        for unpool in UNPOOLS
    }
    course, numbers = _course(curves, "simplified")
    return SIMPLIFIED.finding(
        f"|r| of the simplified network: {course}; over the four layers behind Conv1, where the "
        "two are not the same, it differs from the whole network by {zeros:+.2f} (zeros) and "
        f"{{nearest:+.2f}} (nearest); similar means within ± {{similar}} {_PER_POINT}",
        is_within(gap["zeros"], SIMILAR),
        {
            **numbers,
            **gap,
            "similar": SIMILAR,
            "networks": curves["whole", "zeros"].networks,
            "photos": photos,
        },
        brief=f"|r| {_brief()}; Conv2 to Conv5, difference from the whole network {{zeros:+.2f}} "
        "(zeros), {nearest:+.2f} (nearest), similar within ± {similar}; {networks} networks × "
        "{photos} photos",
    )


def _brief(unpool: str = "zeros") -> str:
    return ", ".join(f"{{{unpool}_{layer}.mean:.2f}}" for layer in LAYERS) + f" ({unpool})"
