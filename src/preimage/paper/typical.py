"""Figure 5: Conv1-DeConv1 by width, in pictures: the network whose SSIM is nearest the mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.figure import Figure

from preimage.data.cost import Cost
from preimage.data.photo import Photo
from preimage.data.progress import progress_bar
from preimage.data.records import output_folder
from preimage.network.spec import HeadName, ReconstructConfig
from preimage.paper.curves import Curve, slope
from preimage.paper.decision import is_above
from preimage.paper.draw import grey_photo, save_figure, without_ticks
from preimage.paper.figure_sweep import figure_photos, finish, grid_cost, require, run_grid
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import UNPOOLS, FigureOptions
from preimage.paper.tables import write_rows
from preimage.paper.width import FOLDER, HEADS, NEGLIGIBLE, by_width, grid
from preimage.sweeps.pair import RandomPair
from preimage.sweeps.reconstruction import Reconstruction
from preimage.sweeps.run import Results

CLAIM = Claim(
    "fig5",
    "fig5",
    "Figure 5: the output whose SSIM is nearest the mean, by width",
    "the increasing number of channels promotes the random reconstruction quality",
)
_PHOTOS = 4  # shown, one per row


def run(options: FigureOptions) -> list[Finding]:
    """A sheet of pictures per head and unpooling, from the networks of Figures 8 and 9.

    Raises:
        Incomplete: time was up, or cells failed.
        ValueError: fewer than two networks.
    """
    sweep = grid(options)
    photos = figure_photos(options)
    results = run_grid(options, FOLDER, sweep, photos)
    curves = {head: by_width(results, head, "ssim") for head in HEADS}
    require(results, [c for of_head in curves.values() for c in of_head.values()])
    pictures, table = _draw(options, results, photos[:_PHOTOS])
    return finish(options, FOLDER, results, [_finding(curves, len(photos), pictures, table)])


def cost(options: FigureOptions) -> Cost:
    """Cells, work and time."""
    return grid_cost(options, FOLDER, grid(options))


@dataclass(frozen=True)
class Typical:
    """Of one width and photo, the network whose SSIM is nearest the mean over networks."""

    config: ReconstructConfig
    reconstruction: Reconstruction
    mean: float
    networks: int


def typical(
    results: Results, words: Mapping[str, object], photo: int, width: int
) -> Typical | None:
    """Runs again, alone, the network that Figure 5 would show; None if no cell is done."""
    scores = {
        config: results.rows[config][photo]["ssim"]
        for config in results.cells
        if config in results.rows
        and config.width == width
        and all(getattr(config, name) == value for name, value in words.items())
    }
    if not scores:
        return None
    mean = fmean(scores.values())
    chosen = min(scores, key=lambda config: (abs(scores[config] - mean), config.network_number))
    return Typical(chosen, RandomPair(chosen)(results.photos.photo(photo)), mean, len(scores))


def draw_typical(
    photos: Sequence[Photo], rows: Sequence[Mapping[int, Typical]], heading: str
) -> Figure:
    """One row per photo, its grey version first, then one column per width, SSIM above."""
    widths = list(dict.fromkeys(width for row in rows for width in row))
    columns = 1 + len(widths)
    figure = Figure(figsize=(1.45 * columns, 1.68 * len(photos) + 0.6), layout="constrained")
    figure.suptitle(heading, fontsize=10)
    axes = figure.subplots(len(photos), columns, squeeze=False)
    for line, photo, row in zip(axes, photos, rows, strict=True):
        line[0].imshow(grey_photo(photo), cmap="gray", vmin=0, vmax=1)
        line[0].set_title("photo", fontsize=8)
        line[0].set_ylabel(photo.name[:18], fontsize=7)
        for axis, width in zip(line[1:], widths, strict=True):
            if width in row:
                result = row[width].reconstruction
                axis.imshow(result.grey.numpy(), cmap="gray", vmin=0, vmax=1)
                axis.set_title(f"{result.ssim:.3f}", fontsize=8)
    for axis, width in zip(axes[-1, 1:], widths, strict=True):
        axis.set_xlabel(f"width {width}", fontsize=8)
    return without_ticks(figure)


def _draw(
    options: FigureOptions, results: Results, photos: Sequence[Photo]
) -> tuple[list[str], str]:
    """Writes the sheets and the table of the networks shown; their names."""
    folder = output_folder(options.out)
    widths = list(dict.fromkeys(config.width or 0 for config in results.cells))
    pictures: list[str] = []
    rows: list[dict[str, object]] = []
    with progress_bar("pictures", len(HEADS) * len(UNPOOLS) * len(photos) * len(widths)) as advance:
        for head, title in HEADS.items():
            for unpool in UNPOOLS:
                words = {"head": head, "unpool": unpool}
                sheet: list[dict[int, Typical]] = []
                for index, photo in enumerate(photos):
                    sheet.append({})
                    for width in widths:
                        found = typical(results, words, index, width)
                        if found:
                            sheet[-1][width] = found
                            rows.append({**words, **_row(photo, width, found)})
                        advance()
                heading = (
                    f"Conv1-DeConv1, {title[4:]}, {unpool} unpooling; above each picture its "
                    "SSIM, the nearest to the mean over networks"
                )
                path = folder / f"fig5_{head}_{unpool}.png"
                pictures.append(save_figure(draw_typical(photos, sheet, heading), path).name)
    return pictures, write_rows(folder / "fig5.csv", rows)


def _row(photo: Photo, width: int, found: Typical) -> dict[str, object]:
    return {
        "photo": photo.name,
        "width": width,
        "network": found.config.network_number,
        "ssim": found.reconstruction.ssim,
        "mean_ssim": found.mean,
        "networks": found.networks,
    }


def _finding(
    curves: Mapping[HeadName, Mapping[str, Curve]],
    photos: int,
    pictures: Sequence[str],
    table: str,
) -> Finding:
    slopes = {
        f"{head}_{unpool}": slope(by_width.judged)
        for head, of_head in curves.items()
        for unpool, by_width in of_head.items()
    }
    per_point = "{networks} networks × {photos} photos per point"
    return CLAIM.finding(
        "SSIM changes per doubling of the width by {conv_zeros:+.3f} (zeros) and "
        "{conv_nearest:+.3f} (nearest) in the original network, {mean_zeros:+.3f} and "
        f"{{mean_nearest:+.3f}} in the variant (95 % intervals over networks; {per_point})",
        is_above(slopes["conv_zeros"], NEGLIGIBLE),
        {**slopes, "networks": curves["conv"]["zeros"].judged.networks, "photos": photos},
        brief=f"SSIM per doubling of the width: {{conv_zeros:+.3f}} (zeros); {per_point}",
        pictures=pictures,
        tables=(table,),
    )
