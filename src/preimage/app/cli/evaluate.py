"""`preimage evaluate`: how well a decoder takes photos back."""

from dataclasses import asdict
from pathlib import Path

from preimage.app.cli.decoder_commands import EvaluateCommand
from preimage.app.cli.options import flat
from preimage.data.memory import MemorySource, open_source, open_squares, refuse_skipped
from preimage.data.records import environment, output_folder, write_json, write_jsonl
from preimage.data.tables import text_table
from preimage.decoders.enough_memory import require_decoding
from preimage.decoders.evaluate import BATCH_SIZE, METRICS, Evaluations, evaluate, mean_image
from preimage.decoders.inverter import Inverter
from preimage.network.device import resolve_device
from preimage.probing.open_layer import open_inverter
from preimage.scores.metrics import COLOUR


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
    print(_table(found))
    print(f"\nmeans over photos ± 95 % intervals; every score in {Path(folder) / 'scores.jsonl'}")
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


def _table(found: dict[str, Evaluations]) -> str:
    heading = ("photos, method", "n", "MSE", "PSNR (dB)", "SSIM", "feature error")
    rows = [
        (
            f"{name}, {method}",
            str(len(evaluation.mse)),
            *(str(evaluation.interval(metric)) for metric in METRICS),
        )
        for name, methods in found.items()
        for method, evaluation in methods.items()
    ]
    return text_table(heading, rows)
