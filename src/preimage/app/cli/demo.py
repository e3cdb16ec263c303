"""`preimage demo`: random networks by layer and by width, on a page."""

from dataclasses import asdict
from pathlib import Path

from preimage.app.cli.commands import DemoCommand
from preimage.app.cli.estimate import announce
from preimage.app.cli.figures import core_seconds
from preimage.app.cli.options import command_line, flat
from preimage.data.each_photo import Problems
from preimage.data.photo import fingerprint
from preimage.data.photos import open_photos
from preimage.data.progress import progress_bar
from preimage.data.records import environment, output_folder, write_json, write_jsonl, write_text
from preimage.data.tables import text_table
from preimage.network.laws import Law
from preimage.network.spec import ReconstructConfig
from preimage.paper import overview
from preimage.paper.draw import save_figure
from preimage.paper.finding import Finding, save_finding, text, with_command
from preimage.paper.overview_claims import findings
from preimage.paper.overview_draw import highlights, overview_chart, photo_sheet
from preimage.paper.page import overview_page
from preimage.scores.metrics import GREY


def run(config: DemoCommand) -> int:
    """Computes the overview, writes page, pictures and records, and prints where they are."""
    if config.size < 1:
        raise ValueError("`size` must be positive: the demo compares photos of one size.")
    settings = ReconstructConfig(
        weights=config.weights, seed=config.seed, size=config.size, device=config.device
    )
    Law.parse(config.weights)  # before anything is measured
    overview.require_memory(settings)
    folder = output_folder(config.out)
    problems = Problems(config.strict)
    photos = list(open_photos(config.photos or None, config.size, problems))
    if not photos:
        return 2
    announce(lambda: overview.cost(photos, settings, config.networks), resumed=False)
    with progress_bar("networks", overview.num_trials(config.networks)) as advance:
        start = core_seconds()
        results = overview.run(photos, settings, config.networks, advance)
        seconds = round(core_seconds() - start, 1)
    command = command_line("demo", config)
    found = [with_command(finding, command, seconds) for finding in findings(results)]
    for finding in found:
        save_finding(folder, finding, {**flat(config), "complete": True})
    page = _write_pictures(results, found, command, folder)
    _write_records(results, config, folder, problems.lines)
    for grid, name in ((results.by_layer, "by layer"), (results.by_width, "by width")):
        heading = (f"SSIM / |r|, {name}", *grid.columns)
        print(text_table(heading, [(row, *_cells(grid, row)) for row in grid.rows]), end="\n\n")
    print(f"{text(found)}\n")
    print(f"page:     {page}\npictures: {folder}/*.png\nscores:   {folder}/records.jsonl")
    return 2 if problems.count else 0


def _write_pictures(
    results: overview.Overview, found: list[Finding], command: str, folder: Path
) -> Path:
    """The figures and the page."""
    with progress_bar("pictures", len(results.photos) + 2) as advance:
        chart = save_figure(overview_chart(results), folder / "overview.png")
        advance()
        save_figure(highlights(results), folder / "highlights.png", dpi=120)
        advance()
        for index, photo in enumerate(results.photos):
            save_figure(photo_sheet(results, index), folder / f"sheet_{photo.name}.png", dpi=110)
            advance()
    record = environment(results.config.device)
    html = overview_page(results, found, chart.read_bytes(), record, command)
    return write_text(folder / "report.html", html)


def _write_records(
    results: overview.Overview, config: DemoCommand, folder: Path, skipped: list[str]
) -> None:
    """Every score, and what one needs to get it again."""
    hashed = fingerprint(photo.sha256 for photo in results.photos)
    grids = (results.by_layer, results.by_width)
    networks = [network for grid in grids for cell in grid.cells.values() for network in cell]
    rows = (row for network in networks for row in _records(network, hashed))
    write_jsonl(folder / "records.jsonl", rows)
    write_json(
        folder / "run.json",
        {
            "command": flat(config),
            "contract": asdict(GREY),
            "photos_sha256": hashed,
            "skipped": skipped,
            "environment": environment(results.config.device),
        },
    )


def _cells(grid: overview.Grid, row: str) -> list[str]:
    return [
        f"{grid.interval(row, column, 'ssim').mean:.2f} / "
        f"{grid.interval(row, column, 'pearson', absolute=True).mean:.2f}"
        for column in grid.columns
    ]


def _records(network: overview.Scored, photos_sha256: str) -> list[dict[str, object]]:
    words = {**asdict(network.config), "photos_sha256": photos_sha256}
    return [{**words, **record} for record in network.records]
