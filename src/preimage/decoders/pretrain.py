"""Training an encoder as a classifier: from option sets to the file it writes."""

import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from preimage.data.crops import Batch, CropDataset
from preimage.data.memory import open_source
from preimage.data.records import environment, output_folder
from preimage.data.sole_writer import sole_writer
from preimage.data.sources import ImageSource
from preimage.decoders.batches import crop_dataset, load_batches
from preimage.decoders.classifier import Classification, Classifier, accuracy, classifier
from preimage.decoders.encoders import load_classifier, save_classifier
from preimage.decoders.enough_memory import require_training
from preimage.decoders.machine import open_training
from preimage.decoders.options import MachineOptions, with_input
from preimage.decoders.recipes import Recipe
from preimage.decoders.run_folder import Run, refuse_damage
from preimage.network.spec import EncoderSpec

CLASSIFIER_FILE = "encoder.safetensors"
_TEST_BATCH = 250  # photos
_log = logging.getLogger(__name__)


def pretrain_encoder(
    spec: EncoderSpec,
    data: str,
    recipe: Recipe,
    out: str | Path,
    machine: MachineOptions | None = None,
    *,
    test: str | None = None,
    in_memory: int = 0,
    batch_norm: bool = True,
    seed: int = 0,
    strict: bool = False,
) -> Classifier | None:
    """The classifier of a run, which is resumed if need be; None if it stopped early.

    Args:
        data: training photos in a folder per class, as in `DataOptions`.
        out: folder of the run; the same call resumes it.
        test: test photos in a folder per class.
        in_memory: as in `DataOptions`.
        batch_norm: train with batch normalisation, which is folded in afterwards.
        seed: of the weights and of the order of photos.
        strict: refuse photos that cannot be read, in place of leaving them out.

    Raises:
        ValueError: an option, the data or the folder does not fit, or another process writes there.
        ArithmeticError: the loss is not finite.
        KeyboardInterrupt: Ctrl-C came; the state is saved.
    """
    folder = output_folder(out)
    with sole_writer(folder):
        return _pretrain(
            spec,
            data,
            recipe,
            folder,
            machine or MachineOptions(),
            test,
            in_memory,
            batch_norm,
            seed,
            strict,
        )


def _pretrain(
    spec: EncoderSpec,
    data: str,
    recipe: Recipe,
    folder: Path,
    machine: MachineOptions,
    test: str | None,
    in_memory: int,
    batch_norm: bool,
    seed: int,
    strict: bool,
) -> Classifier | None:
    refuse_damage(folder)
    description = with_input(spec.encoder(), "imagenet")
    require_training(None, description, recipe, machine)
    source = open_source(data, in_memory, labelled=True, strict=strict)
    assert source.classes is not None
    tests = _open_tests(test, in_memory, source.classes, strict) if test else None
    model = classifier(description, len(source.classes), seed=seed, batch_norm=batch_norm)
    training = open_training(Classification(model), recipe, machine, folder)
    settings = {
        "recipe": asdict(training.recipe),
        "encoder": description.to_dict(),
        "batch_norm": batch_norm,
        "data": source.fingerprint,
        "in_memory": in_memory,
        "seed": seed,
    }
    run = Run(training, folder, settings, source.problems, strict)
    dataset = crop_dataset(source, recipe, seed)
    batches = load_batches(dataset, recipe, training.step, training.accelerator, machine.workers)
    if not run.train(batches, max_minutes=machine.max_minutes, save_every=machine.save_every):
        return None
    device = training.accelerator.device
    tested = _test(model, tests, recipe, device, run.problems) if tests else None
    card = {
        "classes": list(source.classes),
        "training": {
            **settings,
            "skipped": sorted(run.problems),
            "environment": environment(device),
        },
        "accuracy": tested,
    }
    if not training.accelerator.is_main_process:
        return model.folded()
    return load_classifier(save_classifier(folder / CLASSIFIER_FILE, model, card))


def _open_tests(test: str, in_memory: int, classes: tuple[str, ...], strict: bool) -> ImageSource:
    """The test photos, looked at before the training and not after it."""
    source = open_source(test, in_memory, labelled=True, argument="test", strict=strict)
    if source.classes != classes:
        raise ValueError(
            f"`test` must have the classes of `data`, {classes}; {test} has {source.classes}."
        )
    for problem in source.problems:
        _log.warning("skipped: %s", problem)
    for index in range(len(source) if strict else 0):
        source.read(index)
    return source


def _test(
    model: Classifier,
    source: ImageSource,
    recipe: Recipe,
    device: torch.device,
    problems: set[str],
) -> dict[str, Any]:
    """Accuracy on the test photos, by the folded classifier, as it will be used.

    Photos that cannot be read are not among them; they are named and join the `problems`.
    """
    found = set(source.problems)
    batches = _readable(CropDataset(source, recipe.crop, resize=recipe.resize or None), found)
    right, total = accuracy(model.folded().to(device), batches, device)
    for problem in sorted(found.difference(source.problems)):
        _log.warning("skipped: %s", problem)
    problems |= found
    return {"accuracy": right / total, "photos": total}


def _readable(dataset: CropDataset, problems: set[str]) -> Iterator[Batch]:
    """The photos in order, without those that the data set would put others in place of."""
    for start in range(0, len(dataset), _TEST_BATCH):
        stop = min(start + _TEST_BATCH, len(dataset))
        singles = [dataset.batch([(0, index)]) for index in range(start, stop)]
        problems.update(single.problems[0] for single in singles if single.problems)
        read = [single for single in singles if not single.problems]
        if read:
            labels = torch.cat([single.labels for single in read if single.labels is not None])
            yield Batch(torch.cat([single.pixels for single in read]), labels, [])
