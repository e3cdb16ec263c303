"""Training a DCN on an encoder's features (Section 3): from option sets to the file it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from preimage.data.crops import CropDataset
from preimage.data.memory import in_memory, open_source, open_squares
from preimage.data.photos import Photos
from preimage.data.records import environment, output_folder
from preimage.data.sole_writer import sole_writer
from preimage.data.sources import ImageSource
from preimage.decoders.batches import crop_dataset, load_batches
from preimage.decoders.encoders import as_encoder
from preimage.decoders.enough_memory import require_training
from preimage.decoders.inverter import Inversion, Inverter, measure_scale
from preimage.decoders.loss_curve import read_metrics
from preimage.decoders.machine import open_training
from preimage.decoders.options import (
    DataOptions,
    DecoderOptions,
    EncoderOptions,
    MachineOptions,
)
from preimage.decoders.recipes import Recipe
from preimage.decoders.run_folder import Run, refuse_damage, saved_settings
from preimage.network.build import build
from preimage.network.encoder import Encoder
from preimage.scores.metrics import colour_scores

DECODER_FILE = "decoder.safetensors"
_PROBE_PHOTOS, _PROBE_SIDE = 24, 224  # held-out photos that a measurement takes
_SCALE_PHOTOS = 64  # the first ones; the constant only has to be near the features' scale


def train_decoder(
    encoder: EncoderOptions | Encoder,
    decoder: DecoderOptions,
    data: DataOptions | Photos,
    recipe: Recipe,
    out: str | Path,
    machine: MachineOptions | None = None,
    *,
    seed: int | None = None,
) -> Inverter | None:
    """The trained decoder of a run, which is resumed if need be; None if it stopped early.

    Args:
        encoder: options of one, or an encoder: `preimage.probing.layer_encoder` of any module, say,
            whose parameters are frozen.
        data: options of a source on disk and of held-out photos; or training photos in any form
            that `preimage.load_photos` takes, which are kept in memory.
        out: folder of the run; the same call resumes it.
        seed: of crops and of the DCN's first weights; that of the options if not given, or 0.

    Raises:
        ValueError: an option, the data or the folder does not fit, or another process writes there.
        ArithmeticError: the loss is not finite.
        KeyboardInterrupt: Ctrl-C came; the state is saved.
    """
    folder = output_folder(out)
    with sole_writer(folder):
        return _train(encoder, decoder, data, recipe, folder, machine or MachineOptions(), seed)


def _train(
    encoder: EncoderOptions | Encoder,
    decoder: DecoderOptions,
    photos: DataOptions | Photos,
    recipe: Recipe,
    folder: Path,
    machine: MachineOptions,
    seed: int | None,
) -> Inverter | None:
    refuse_damage(folder)
    options = encoder if isinstance(encoder, EncoderOptions) else EncoderOptions()
    seed = options.seed if seed is None else seed
    network = as_encoder(encoder)
    description = decoder.description(network)
    require_training(network, description, recipe, machine)
    data, source = _opened(photos, recipe)
    dataset = crop_dataset(source, recipe, seed)
    scale = _scale(network, dataset, folder) if recipe.feature_scaling else 1.0
    # Of the same seed and number as a random encoder.
    mirror = build(description, seed=seed, network_number=options.network_number)
    inverter = Inverter(network, network.origin, mirror, scale)
    training = open_training(Inversion(network, mirror, scale), recipe, machine, folder)
    settings = {
        "recipe": asdict(training.recipe),
        "encoder": network.to_dict(),
        "origin": network.origin,
        "decoder": mirror.description.to_dict(),
        "scale": scale,
        "data": source.fingerprint,
        "in_memory": data.in_memory,
        "seed": seed,
    }
    run = Run(training, folder, settings, source.problems, data.strict)
    batches = load_batches(dataset, recipe, training.step, training.accelerator, machine.workers)
    done = run.train(
        batches,
        max_minutes=machine.max_minutes,
        save_every=machine.save_every,
        probe=_held_out_psnr(inverter, data, run) if data.held_out else None,
        probe_every=data.measure_every,
    )
    if not done:
        return None
    inverter.card = _card(settings, len(source), run)
    if training.accelerator.is_main_process:
        inverter.save(folder / DECODER_FILE)
    return inverter


def _opened(photos: DataOptions | Photos, recipe: Recipe) -> tuple[DataOptions, ImageSource]:
    """The options of the photos, and where they are read from."""
    if isinstance(photos, str | Path):
        photos = DataOptions(data=str(photos))
    if isinstance(photos, DataOptions):
        return photos, open_source(photos.data, photos.in_memory, strict=photos.strict)
    return DataOptions(), in_memory(photos, recipe.resize or recipe.crop)


def _scale(encoder: Encoder, dataset: CropDataset, folder: Path) -> float:
    """What features are divided by: as the folder's run began, since processors round apart."""
    if saved := saved_settings(folder):
        return float(saved["scale"])
    keys = [(0, index) for index in range(min(len(dataset), _SCALE_PHOTOS))]
    return measure_scale(encoder, dataset.batch(keys).pixels)


def _card(settings: Mapping[str, Any], photos: int, run: Run) -> dict[str, Any]:
    """How the decoder came to be: settings, photos, machine, and what the last steps measured."""
    lines = read_metrics(run.metrics_path)
    last = [line["loss"] for line in lines if line["step"] > settings["recipe"]["steps"] - 100]
    measured = [line["held_out_psnr"] for line in lines if "held_out_psnr" in line]
    return {
        "training": {
            **{key: settings[key] for key in ("recipe", "data", "in_memory", "seed")},
            "photos": photos,
            "skipped": sorted(run.problems),
            "environment": environment(run.training.accelerator.device),
        },
        "metrics": {
            "loss": fmean(last) if last else None,  # none if the user deleted the curve
            "held_out_psnr": measured[-1] if measured else None,
        },
    }


def _held_out_psnr(
    inverter: Inverter, data: DataOptions, run: Run
) -> Callable[[], dict[str, float]]:
    """Measures the mean PSNR of the first held-out photos; the run hears of those unread."""
    side = data.in_memory or _PROBE_SIDE
    source = open_squares(
        data.held_out, side, _PROBE_PHOTOS, argument="held_out", strict=data.strict
    )
    run.problems.update(source.problems)
    photos = source.pixels

    def measure() -> dict[str, float]:
        scores = [
            colour_scores(batch, inverter(batch).cpu()).psnr
            for batch in torch.split(photos.float(), 4)
        ]
        return {"held_out_psnr": float(torch.cat(scores).mean())}

    return measure
