"""`preimage reconstruct --decoder`: photos, or anyone's features, by a decoder that learned."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from preimage.app.cli.commands import WITH_DECODER, ReconstructCommand
from preimage.app.cli.options import flat
from preimage.app.cli.run_kind import DECODED, FEATURES, own_folder
from preimage.data.each_photo import (
    KeepFinished,
    Problems,
    each_photo,
    refuse_unreadable,
)
from preimage.data.photo import Photo, clipped_image
from preimage.data.progress import progress
from preimage.data.records import (
    environment,
    write_atomically,
    write_json,
    write_jsonl,
)
from preimage.data.tables import text_table
from preimage.decoders.enough_memory import require_decoder, require_decoding
from preimage.decoders.inverter import Inverter
from preimage.network.device import resolve_device
from preimage.paper.draw import decoded_sheet, save_figure
from preimage.probing.open_layer import open_inverter
from preimage.scores.metrics import COLOUR, ColourScores, colour_scores

_SHEET_ROWS = 8
_ROWS_AT_ONCE = 8  # of features
_SCORES = ("mse", "psnr", "ssim")


def decode(config: ReconstructCommand) -> int:
    """Writes a picture for each photo, or each row of features; 2 if a photo could not be read."""
    assert config.decoder is not None
    inverter = open_inverter(config.decoder, config.moved_weights, config.model).to(
        resolve_device(config.pair.device)
    )
    if config.features is not None:
        return _decode_features(inverter, config, Path(config.features))
    if side := config.pair.size:
        require_decoding(inverter.encoder, inverter.decoder, (side, side), 1, inverter.device)
    folder = own_folder(config.folder, DECODED)

    def invert(photo: Photo) -> tuple[Tensor, ColourScores]:
        output = inverter(photo.pixels[None]).cpu()
        return output[0], colour_scores(photo.pixels[None], output)

    problems = Problems(config.strict)
    sources, size = config.photos or None, side or None
    if config.strict:
        refuse_unreadable(sources, size)
    records: list[dict[str, object]] = []
    sheet: list[tuple[Photo, Tensor]] = []
    photos = each_photo(invert, sources, size, problems)
    with KeepFinished() as keep:
        for photo, (picture, scores) in progress(photos, "photos"):
            write_atomically(folder / f"{photo.name}_decoded.png", clipped_image(picture).save)
            values = {name: float(getattr(scores, name)) for name in _SCORES}
            records.append({"photo": photo.name, "photo_sha256": photo.sha256, **values})
            sheet += [(photo, picture)] if len(sheet) < _SHEET_ROWS else []
    if not records:
        keep.raise_interrupt()
        return 2
    write_jsonl(folder / "records.jsonl", records)
    _write_run(inverter, config, DECODED, problems.lines)
    rows = [
        (str(record["photo"]), *(f"{record[name]:.3f}" for name in _SCORES)) for record in records
    ]
    print(text_table(("Photo", "MSE", "PSNR (dB)", "SSIM"), rows))
    title = f"{inverter.encoder.name}, {Path(config.decoder).name}"
    print(f"\n{save_figure(decoded_sheet(sheet, title), folder / 'sheet.png')}")
    keep.raise_interrupt()
    return 2 if problems.count else 0


def _decode_features(inverter: Inverter, config: ReconstructCommand, path: Path) -> int:
    features = _read_features(path)
    side, rows = config.pair.size, min(len(features), _ROWS_AT_ONCE)
    require_decoder(inverter.encoder, inverter.decoder, (side, side), rows, inverter.device)
    folder = own_folder(config.folder, FEATURES)
    for index, row in enumerate(_decoded(inverter, features, side)):
        picture = folder / f"features-{index:04d}.png"
        print(write_atomically(picture, clipped_image(row).save))
    _write_run(inverter, config, FEATURES, [])
    return 0


def _decoded(inverter: Inverter, features: Tensor, side: int) -> Iterator[Tensor]:
    for part in torch.split(features.float(), _ROWS_AT_ONCE):
        yield from inverter.decode(part, (side, side)).cpu()


def _read_features(path: Path) -> Tensor:
    """The one tensor (N, C, h, w) of a safetensors file."""
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"`features` {path}: not a safetensors file ({error}).") from None
    if len(tensors) != 1:
        names = ", ".join(sorted(tensors)) or "none"
        raise ValueError(f"`features` {path}: expected one tensor (N, C, h, w), found {names}.")
    (features,) = tensors.values()
    if features.dim() != 4 or not features.is_floating_point():
        raise ValueError(
            f"`features` {path}: expected floating-point (N, C, h, w), got {features.dtype} "
            f"{tuple(features.shape)}."
        )
    if not len(features):
        raise ValueError(f"`features` {path}: there are none: {tuple(features.shape)}.")
    if not features.isfinite().all():
        raise ValueError(f"`features` {path}: NaN or infinite values; features must be finite.")
    return features


def _write_run(
    inverter: Inverter, config: ReconstructCommand, kind: str, skipped: list[str]
) -> None:
    """What was used: the decoder's own encoder, and the options that apply besides it."""
    options = flat(config)
    write_json(
        Path(config.folder) / "run.json",
        {
            "kind": kind,
            "command": {name: options[name] for name in WITH_DECODER} | {"out": config.folder},
            "encoder": inverter.encoder_card(),
            "decoder": inverter.card,
            "contract": asdict(COLOUR),
            "skipped": skipped,
            "environment": environment(inverter.device),
        },
    )
