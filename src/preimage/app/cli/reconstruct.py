"""`preimage reconstruct`: photos through a random CNN and back, or through one that learned."""

from contextlib import nullcontext
from pathlib import Path

from preimage.app.cli.commands import ReconstructCommand
from preimage.app.cli.decode import decode
from preimage.app.cli.run_kind import RANDOM, own_folder
from preimage.data.each_photo import (
    KeepFinished,
    Problems,
    each_photo,
    refuse_unreadable,
)
from preimage.data.photo import fingerprint, to_image
from preimage.data.progress import progress
from preimage.data.records import write_atomically, write_json, write_jsonl
from preimage.data.sandbox import sandboxed
from preimage.data.tables import text_table
from preimage.decoders.encoders import trained_encoder
from preimage.network.build import Network
from preimage.network.spec import EncoderSpec, ReconstructConfig
from preimage.network.weights import weights_kind
from preimage.paper.draw import reconstruction_sheet, save_figure
from preimage.sweeps.enough_memory import require_pairs
from preimage.sweeps.pair import RandomPair, own_cnn, run_record
from preimage.sweeps.reconstruction import Reconstruction

_SHEET_ROWS = 8
_DCN_WEIGHTS = "gaussian:fan-in"  # behind a trained CNN


def run(config: ReconstructCommand) -> int:
    """Reconstructs each photo that can be read; 2 if one could not."""
    with sandboxed() if config.sandbox else nullcontext():
        return _reconstruct(config) if config.decoder is None else decode(config)


def _reconstruct(config: ReconstructCommand) -> int:
    settings, encoder, origin = _trained(config.pair)
    require_pairs([settings])
    pair = RandomPair(settings, encoder=encoder)
    folder = own_folder(config.folder, RANDOM)
    problems = Problems(config.strict)
    if config.strict:
        refuse_unreadable(config.photos or None, settings.size or None)
    done: list[Reconstruction] = []  # the first ones whole, for the sheet
    records: list[dict[str, object]] = []
    photos = each_photo(pair, config.photos or None, settings.size or None, problems)
    with KeepFinished() as keep:
        for _, result in progress(photos, "photos"):
            _save_pictures(result, folder)
            records.append(result.record())
            done += [result] if len(done) < _SHEET_ROWS else []
    if records:
        _write_records(settings, {**origin, "skipped": problems.lines}, records, folder)
        title = f"{settings.network().name}, {config.pair.weights}, seed {settings.seed}"
        sheet = save_figure(reconstruction_sheet(done, title), folder / "sheet.png")
        print(_table(records))
        print(
            f"\n{sheet}: photo, grey, the picture scored, the raw output; one file each beside it"
        )
    keep.raise_interrupt()
    return 2 if problems.count or not records else 0


def _trained(
    settings: ReconstructConfig,
) -> tuple[ReconstructConfig, Network | None, dict[str, object]]:
    """The CNN with trained weights if they are asked for, and where they come from."""
    if weights_kind(settings.weights) == "law":
        return settings, None, {}
    if settings.input != ReconstructConfig.input:
        raise ValueError("`input` cannot be given with trained `weights`, whose CNN has its own.")
    network, origin = trained_encoder(settings.weights, settings)
    # No scale of the DCN's weights moves a score; with this one its features keep their energy.
    dcn = ReconstructConfig(**{**vars(settings), **vars(EncoderSpec()), "weights": _DCN_WEIGHTS})
    return own_cnn(network, dcn)[0], network, {"encoder": origin}


def _write_records(
    settings: ReconstructConfig,
    more: dict[str, object],
    records: list[dict[str, object]],
    folder: Path,
) -> None:
    photos = fingerprint(str(record["photo_sha256"]) for record in records)
    write_json(folder / "run.json", {"kind": RANDOM, **run_record(settings, photos), **more})
    write_jsonl(
        folder / "records.jsonl", ({**record, "photos_sha256": photos} for record in records)
    )


def _save_pictures(result: Reconstruction, folder: Path) -> None:
    name = result.photo.name
    for kind, pixels in (("grey", result.grey[None]), ("colour", result.colour)):
        picture = to_image(pixels)
        write_atomically(folder / f"{name}_{kind}.png", picture.save)


def _table(records: list[dict[str, object]]) -> str:
    return text_table(
        ("Photo", "SSIM", "Pearson", "inverted"),
        [
            (
                str(record["photo"]),
                f"{record['ssim']:.3f}",
                f"{record['pearson']:.3f}",
                "yes" if record["inverted"] else "no",
            )
            for record in records
        ],
    )
