"""`preimage reproduce fig7`: random networks by layer (Section 4.1)."""

from collections.abc import Mapping
from dataclasses import replace

from preimage.app.cli.commands import ReproduceCommand
from preimage.data.photo import Photo
from preimage.data.progress import progress_bar
from preimage.data.records import output_folder
from preimage.network.architectures import LAYERS
from preimage.paper import layers_study as study
from preimage.paper.curves import Curve
from preimage.paper.draw import save_figure
from preimage.paper.finding import Finding, verdict
from preimage.paper.overview import SIMILAR
from preimage.paper.sweep_draw import draw_by_layer, draw_layers
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
)
from preimage.scores.statistics import Interval
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.run import Results

FOLDER = "layers"
NETWORKS = {"quick": 5, "paper": 30}
CATS = ("cat", "chelsea")
STYLES = {"zeros": "-", "nearest": "--"}


def run(config: ReproduceCommand) -> list[Finding]:
    """Pictures of the cat (or the first photo), and |r| over the layers for all photos.

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
    curves: dict[tuple[str, str], Curve] = {
        (row, unpool): study.by_layer(results, row, unpool, "pearson", absolute=True)
        for row in study.ROWS
        for unpool in UNPOOLS
    }
    require(results, list(curves.values()))
    if any(set(by_layer.values) != set(LAYERS) for by_layer in curves.values()):
        return finish(results, [])
    folder = output_folder(config.out)
    photo = next((photo for photo in photos if photo.name in CATS), photos[0])
    heading = "VGG16, nothing trained, gaussian:0.1: network 0 of seed " + str(config.seed)
    save_figure(draw_layers(photo, _pictures(config, photo), heading), folder / "fig7.png", dpi=120)
    n = counts(curves["whole", "zeros"], len(photos))
    styled = [(STYLES[unpool], curves[row, unpool]) for row in study.ROWS for unpool in UNPOOLS]
    save_figure(draw_by_layer(styled, f"mean ± std over networks, {n}"), folder / "fig7_curves.png")
    named = {f"{row}, {unpool}, |pearson|": c for (row, unpool), c in curves.items()}
    for row in study.ROWS:
        for unpool in UNPOOLS:
            named[f"{row}, {unpool}, ssim"] = study.by_layer(results, row, unpool, "ssim")
    table = write_curves(folder / "fig7.csv", "layer", named, len(photos))
    return finish(results, _findings(config, results, curves, table))


def _pictures(config: ReproduceCommand, photo: Photo) -> dict[str, dict[str, Reconstruction]]:
    """The two rows of the paper with each unpooling, by network 0."""
    rows: dict[str, dict[str, Reconstruction]] = {}
    cells = study.grid(1, config.seed, config.device).cells()
    with progress_bar("pictures", len(cells)) as advance:
        for unpool in UNPOOLS:
            for row, simplified in study.ROWS.items():
                words = {"unpool": unpool, "simplified": simplified}
                chosen = {
                    cell.layer: replace(cell, **words)  # type: ignore[arg-type]
                    for cell in cells
                }
                rows[f"{row}, {unpool}"] = {}
                for layer, cell in chosen.items():
                    rows[f"{row}, {unpool}"][layer] = RandomPair(cell)(photo)
                    advance()
    return rows


def _findings(
    config: ReproduceCommand, results: Results, curves: dict[tuple[str, str], Curve], table: str
) -> list[Finding]:
    n = counts(curves["whole", "zeros"], len(results.photos))
    decay: dict[str, Interval] = {u: study.deep_less_shallow(curves["whole", u]) for u in UNPOOLS}
    gap: dict[str, Interval] = {
        u: study.simplified_less_whole(curves["simplified", u], curves["whole", u]) for u in UNPOOLS
    }
    pictures = ("fig7.png", "fig7_curves.png")
    signs = {value.sign for value in decay.values()}
    similar = {value.within(SIMILAR) for value in gap.values()}
    return [
        Finding(
            "fig7_depth",
            "Figure 7, row 1: reconstructions by layer",
            "the deeper the random representations are, the coarser the reconstructed images are",
            "|r| from Conv1 to Conv5: "
            + "; ".join(f"{_course(curves['whole', u])} with {u}" for u in UNPOOLS)
            + f"; Conv5 less Conv1: {_each(decay)} (95 % intervals, paired); {n}",
            verdict({-1: True, 1: False}.get(signs.pop()) if len(signs) == 1 else None),
            pictures,
            (table,),
            command(config),
        ),
        Finding(
            "fig7_simplified",
            "Figure 7, row 2: the image straight to block Conv k",
            "the reconstruction quality is similar to that of the first row: the layer's dimension "
            "contributes much, the network's depth only a little",
            "|r| of the simplified network: "
            + "; ".join(f"{_course(curves['simplified', u])} with {u}" for u in UNPOOLS)
            + f"; less that of the whole network, over the five layers: {_each(gap)} (95 % "
            f"intervals, paired; similar: within ± {SIMILAR}); {n}",
            verdict(similar.pop() if len(similar) == 1 else None),
            pictures,
            (table,),
            command(config),
        ),
    ]


def _course(by_layer: Curve) -> str:
    return " → ".join(f"{by_layer.summary(layer).mean:.2f}" for layer in LAYERS)


def _each(values: Mapping[str, Interval]) -> str:
    return ", ".join(f"{value:+.2f} ({name})" for name, value in values.items())
