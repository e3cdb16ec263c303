"""`preimage evaluate`: how well a decoder takes photos back."""

from dataclasses import asdict
from pathlib import Path

from preimage.app.cli.decoder_commands import EvaluateCommand
from preimage.app.cli.options import command_line, flat
from preimage.data.html import data_uri
from preimage.data.memory import MemorySource, open_source, open_squares, refuse_skipped
from preimage.data.photo import Photo
from preimage.data.records import environment, output_folder, write_json, write_jsonl, write_text
from preimage.data.report import Part, report
from preimage.data.tables import text_table
from preimage.decoders.enough_memory import require_decoding
from preimage.decoders.evaluate import BATCH_SIZE, METRICS, Evaluations, evaluate, mean_image
from preimage.decoders.inverter import Inverter
from preimage.network.device import resolve_device
from preimage.paper.draw import decoded_sheet, figure_bytes
from preimage.probing.open_layer import open_inverter
from preimage.scores.metrics import COLOUR

_HEADING = ("photos, method", "n", "MSE", "PSNR (dB)", "SSIM", "feature error")
_MEANING = "means over photos ± 95 % intervals"
_SHOWN = 4  # photos


def run(config: EvaluateCommand) -> int:
    """Scores photos, writes every score, and prints means with their intervals."""
    inverter = open_inverter(config.decoder, config.weights, config.model).to(
        resolve_device(config.device)
    )
    folder = output_folder(config.out)
    sources = _open(config, inverter)
    if config.strict:
        refuse_skipped(*sources.values())
    mean = mean_image(sources["training"].pixels)
    found = {name: evaluate(inverter, s.pixels, mean) for name, s in sources.items()}
    write_jsonl(
        folder / "scores.jsonl",
        (
            {"photos": name, "photo": photo, "method": method, **record}
            for name, methods in found.items()
            for method, evaluation in methods.items()
            for photo, record in zip(sources[name].names, evaluation.records(), strict=True)
        ),
    )
    write_json(
        folder / "run.json",
        {
            "command": flat(config),
            "decoder": inverter.card,
            "encoder": inverter.encoder_card(),
            "contract": asdict(COLOUR),
            "data": {name: source.fingerprint for name, source in sources.items()},
            "skipped": {name: list(source.problems) for name, source in sources.items()},
            "environment": environment(inverter.device),
        },
    )
    page = write_text(folder / "report.html", _page(config, inverter, sources["held-out"], found))
    print(text_table(_HEADING, _rows(found)))
    print(f"\n{_MEANING}; every score in {folder / 'scores.jsonl'}, as a page in {page}")
    return 0


def _open(config: EvaluateCommand, inverter: Inverter) -> dict[str, MemorySource]:
    """Both sets of photos, if what is to be computed of them fits in memory."""
    count = config.photos or None
    named = {"training": ("data", config.data), "held-out": ("held_out", config.held_out)}
    lengths = [len(open_source(name, argument=argument)) for argument, name in named.values()]
    at_once = min(BATCH_SIZE, max(lengths), count or BATCH_SIZE)
    size = (config.size, config.size)
    require_decoding(inverter.encoder, inverter.decoder, size, at_once, inverter.device)
    return {
        key: open_squares(name, config.size, count, argument=argument)
        for key, (argument, name) in named.items()
    }


def _rows(found: dict[str, Evaluations]) -> list[tuple[str, ...]]:
    return [
        (
            f"{name}, {method}",
            str(len(evaluation.mse)),
            *(str(evaluation.interval(metric)) for metric in METRICS),
        )
        for name, methods in found.items()
        for method, evaluation in methods.items()
    ]


def _page(
    config: EvaluateCommand,
    inverter: Inverter,
    held_out: MemorySource,
    found: dict[str, Evaluations],
) -> str:
    """The table, and what the decoder makes of the first photos that it has not seen."""
    pixels = held_out.pixels[:_SHOWN].float()
    photos = [Photo(held_out.name(i), "held out", each) for i, each in enumerate(pixels)]
    outputs = [inverter(photo.pixels[None])[0].cpu() for photo in photos]
    sheet = decoded_sheet(list(zip(photos, outputs, strict=True)), inverter.encoder.name)
    name = Path(config.decoder).name
    return report(
        "how well a decoder takes photos back",
        f"{name} decodes {inverter.encoder.name}. It is scored on photos that it was trained on "
        "and on others, beside baselines that know nothing of the features.",
        [
            Part("Scores", columns=_HEADING, rows=_rows(found), note=f"{_MEANING.capitalize()}."),
            Part(
                "Photos that it has not seen",
                data_uri(figure_bytes(sheet), "png"),
                f"{len(photos)} photos, each beside what the decoder makes of its features",
            ),
        ],
        command_line("evaluate", config),
        environment(inverter.device),
    )
