"""One run of learning, from its config to the file that it leaves: decoders and classifiers.

The command line and the studies call these alike; a run that is finished is read, not made again.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from accelerate import Accelerator

from preimage.data.crops import CropDataset
from preimage.data.memory import MemorySource, decode_once
from preimage.data.records import environment, output_folder
from preimage.data.sources import ImageSource, open_images
from preimage.decoders.classifier import Classification, Classifier, accuracy, classifier
from preimage.decoders.encoders import load_classifier, open_encoder, save_classifier
from preimage.decoders.inverter import Inversion, Inverter, measure_scale
from preimage.decoders.least_squares import fit_least_squares
from preimage.decoders.loop import Objective, Training
from preimage.decoders.options import (
    FitCommand,
    PretrainCommand,
    RecipeChanges,
    TrainCommand,
)
from preimage.decoders.recipes import Recipe
from preimage.decoders.run_folder import Run, crop_dataset, load_batches, read_metrics
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.device import resolve_device
from preimage.network.operations import Conv
from preimage.network.spec import IMAGENET_MEAN, IMAGENET_STD
from preimage.network.trace import alignment, trace
from preimage.scores.metrics import colour_scores

DECODER_FILE = "decoder.safetensors"
_PROBE_PHOTOS, _PROBE_SIDE = 24, 224
CLASSIFIER_FILE = "encoder.safetensors"


@lru_cache(maxsize=2)
def open_source(
    name: str, side: int = 0, *, labelled: bool = False, option: str = "data"
) -> ImageSource:
    """The photos of an option, decoded into memory as squares of `side` unless it is 0.

    Raises:
        ValueError: none given, or nothing there can be read.
    """
    if not name:
        raise ValueError(f"--{option} is missing; name a folder, a zip or shards of photos.")
    source = open_images(name, labelled=labelled)
    return decode_once(source, side) if side else source


@lru_cache(maxsize=4)
def open_squares(name: str, side: int, count: int = 0, *, option: str = "data") -> MemorySource:
    """The first `count` photos of an option (all if 0), as squares of `side` in memory.

    Raises:
        ValueError: none given, or nothing there can be read.
    """
    source = open_images(name) if name else open_source(name, option=option)
    return decode_once(source, side, limit=count or None)


# --- decoders -----------------------------------------------------------------------------------


def train_decoder(config: TrainCommand) -> Inverter | None:
    """The trained decoder of a run, trained now as far as it was not; None if it stopped early.

    Raises:
        ValueError: a word, the data or the folder does not fit.
        KeyboardInterrupt: Ctrl-C came; the state is saved.
    """
    recipe = config.training_recipe()
    folder = output_folder(config.out)
    source = open_source(config.data, config.in_memory)
    encoder, origin = open_encoder(config, config.encoder_description())
    decoder = build(
        config.decoder_of(encoder.description), seed=config.seed, network=config.network_number
    )
    dataset = crop_dataset(source, recipe, config.seed)
    scale = 1.0
    if recipe.feature_scaling:
        keys = [(0, index) for index in range(min(len(source), 64))]
        scale = measure_scale(encoder, dataset.batch(keys).pixels)
    settings = {
        "recipe": asdict(recipe),
        "encoder": encoder.description.to_dict(),
        "origin": origin,
        "decoder": decoder.description.to_dict(),
        "scale": scale,
        "data": source.fingerprint,
        "in_memory": config.in_memory,
        "seed": config.seed,
    }
    training = open_training(Inversion(encoder, decoder, scale), recipe, config)
    run = Run(training, folder, settings, source.problems)
    batches = load_batches(dataset, recipe, training.step, training.accelerator, config.workers)
    inverter = Inverter(encoder, origin, decoder, scale)
    done = run.go(
        batches,
        max_minutes=config.max_minutes,
        save_every=config.save_every,
        probe=_held_out_psnr(inverter, config) if config.held_out else None,
        probe_every=config.measure_every,
    )
    if not done:
        return None
    inverter.card = {
        "training": {
            **{key: settings[key] for key in ("recipe", "data", "in_memory", "seed")},
            "photos": len(source),
            "environment": environment(training.accelerator.device),
        },
        "metrics": _last_metrics(run.metrics_path),
    }
    if training.accelerator.is_main_process:
        inverter.save(folder / DECODER_FILE)
    return inverter


def _last_metrics(path: Path) -> dict[str, Any]:
    """The mean loss a photo of the last steps, and the last PSNR on held-out photos."""
    lines = read_metrics(path)
    measured = [line["held_out_psnr"] for line in lines if "held_out_psnr" in line]
    return {
        "loss": fmean(line["loss"] for line in lines[-100:]),
        "held_out_psnr": measured[-1] if measured else None,
    }


def _held_out_psnr(inverter: Inverter, config: TrainCommand) -> Callable[[], dict[str, float]]:
    """Measures the mean PSNR of the first held-out photos."""
    side = config.in_memory or _PROBE_SIDE
    photos = open_squares(config.held_out, side, _PROBE_PHOTOS, option="held-out").pixels

    def measure() -> dict[str, float]:
        scores = [
            colour_scores(batch, inverter(batch).cpu()).psnr
            for batch in torch.split(photos.float(), 4)
        ]
        return {"held_out_psnr": float(torch.cat(scores).mean())}

    return measure


def fit_decoder(config: FitCommand) -> Inverter:
    """The least-squares decoder of a config, written to its file.

    Raises:
        ValueError: a word, the data or the file does not fit.
    """
    device = resolve_device(config.device)
    encoder, origin = open_encoder(config, config.description())
    encoder.to(device)
    source = open_squares(config.data, config.size, config.photos)
    batches = (
        part.float().to(device) for part in torch.split(source.pixels, _fit_batch(config.size))
    )
    start = time.perf_counter()
    decoder = fit_least_squares(
        encoder,
        batches,
        alignment(encoder.description),
        window=config.window,
        positions=config.positions or None,
        seed=config.seed,
    )
    card = {
        "training": {
            "data": source.fingerprint,
            "photos": len(source),
            "size": config.size,
            "seconds": round(time.perf_counter() - start, 2),
            "environment": environment(device),
        }
    }
    inverter = Inverter(encoder, origin, decoder, 1.0, card)
    inverter.save(Path(config.out))
    return inverter


def _fit_batch(side: int) -> int:
    """Photos a batch of about four 224×224 ones."""
    return max(1, 4 * 224 * 224 // side**2)


# --- classifiers --------------------------------------------------------------------------------


def pretrain_encoder(config: PretrainCommand) -> Classifier | None:
    """The classifier of a run, trained now as far as it was not; None if it stopped early.

    Raises:
        ValueError: a word, the data or the folder does not fit.
        KeyboardInterrupt: Ctrl-C came; the state is saved.
    """
    recipe = config.training_recipe()
    folder = output_folder(config.out)
    source = open_source(config.data, config.in_memory, labelled=True)
    assert source.classes is not None
    description = config.encoder().with_input(IMAGENET_MEAN, IMAGENET_STD)
    model = classifier(
        description, len(source.classes), seed=config.seed, batch_norm=not config.no_batch_norm
    )
    settings = {
        "recipe": asdict(recipe),
        "encoder": description.to_dict(),
        "batch_norm": not config.no_batch_norm,
        "data": source.fingerprint,
        "in_memory": config.in_memory,
        "seed": config.seed,
    }
    training = open_training(Classification(model), recipe, config)
    run = Run(training, folder, settings, source.problems)
    dataset = crop_dataset(source, recipe, config.seed)
    batches = load_batches(dataset, recipe, training.step, training.accelerator, config.workers)
    if not run.go(batches, max_minutes=config.max_minutes, save_every=config.save_every):
        return None
    card = {
        "classes": list(source.classes),
        "training": {**settings, "environment": environment(training.accelerator.device)},
        "accuracy": _test(config, recipe, model, source.classes, training.accelerator.device),
    }
    if not training.accelerator.is_main_process:
        return model.folded()
    return load_classifier(save_classifier(folder / CLASSIFIER_FILE, model, card))


def _test(
    config: PretrainCommand,
    recipe: Recipe,
    model: Classifier,
    classes: tuple[str, ...],
    device: torch.device,
) -> dict[str, float] | None:
    """Accuracy on the test photos, by the folded classifier, as it will be used."""
    if not config.test:
        return None
    source = open_source(config.test, config.in_memory, labelled=True, option="test")
    if source.classes != classes:
        raise ValueError(f"--test {config.test}: its classes are {source.classes}, not {classes}.")
    dataset = CropDataset(source, recipe.crop, resize=recipe.resize or None)
    chunks = [range(i, min(i + 250, len(source))) for i in range(0, len(source), 250)]
    batches = (dataset.batch([(0, index) for index in chunk]) for chunk in chunks)
    right, total = accuracy(model.folded().to(device), batches, device)
    return {"accuracy": right / total, "photos": total}


# --- machines and costs -------------------------------------------------------------------------


def open_training(objective: Objective, recipe: Recipe, config: RecipeChanges) -> Training:
    """A training on this process, or on all that torchrun started.

    Raises:
        ValueError: no such device.
    """
    device = resolve_device(config.device)
    accelerator = Accelerator(cpu=device.type == "cpu")
    objective.to(accelerator.device)
    return Training(
        objective, recipe, accelerator, accumulate=config.accumulate, compiled=config.compile
    )


def costs(encoder: Description, decoder: Description | None, recipe: Recipe) -> dict[str, Any]:
    """Steps, photos, multiply-adds of a run, and bytes that its state takes on the disk.

    A fixed encoder runs forwards; what is trained costs three times its forward pass.
    """
    side = recipe.crop
    forward = sum(step.multiply_adds for step in trace(encoder, side, side))
    trained, work = encoder, 3 * forward
    if decoder is not None:
        whole = sum(step.multiply_adds for step in trace(encoder + decoder, side, side))
        trained, work = decoder, forward + 3 * (whole - forward)
    pairs = zip(trained.operations, trained.channels[:-1], strict=True)
    parameters = sum(
        op.out_channels * count * op.kernel_size**2 for op, count in pairs if isinstance(op, Conv)
    )
    photos = recipe.steps * recipe.batch_size
    return {
        "steps": recipe.steps,
        "photos": photos,
        "multiply_adds": work * photos,
        "state_bytes": 3 * 4 * parameters,
    }


def measured_rate(seconds: float = 0.5) -> float:
    """Multiply-adds a second of this machine in a 3×3 convolution of 64 channels, float32."""
    x = torch.randn(4, 64, 64, 64).contiguous(memory_format=torch.channels_last)
    w = torch.randn(64, 64, 3, 3).contiguous(memory_format=torch.channels_last)
    rounds, start = 0, time.perf_counter()
    while rounds < 3 or time.perf_counter() - start < seconds:
        torch.nn.functional.conv2d(x, w, padding=1)
        rounds += 1
    return x.numel() * 64 * 9 * rounds / (time.perf_counter() - start)
