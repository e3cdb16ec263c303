"""Decoders trained side by side (Section 3): which ones a figure needs, and what became of them.

Trainings and fits are kept in folders named by their settings, so figures share what they have in
common, and a run that was stopped goes on.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isinf
from pathlib import Path
from typing import Any

from preimage.data.memory import open_squares
from preimage.data.photo import SIZE
from preimage.decoders.encoders import architecture_of
from preimage.decoders.evaluate import Evaluation, evaluate, mean_image
from preimage.decoders.fit import fit_decoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.loss_curve import METRICS_FILE, core_seconds, read_metrics
from preimage.decoders.official_weights import cached_file
from preimage.decoders.options import DataOptions, DecoderOptions, EncoderOptions, MachineOptions
from preimage.decoders.recipes import DECODER_INPUTS, DECODER_RECIPES, Recipe
from preimage.decoders.train import train_decoder
from preimage.network.spec import ArchitectureName, EncoderSpec
from preimage.paper.arm_names import fit_name, training_name
from preimage.paper.arms import NAMES, Arm, Encoders
from preimage.paper.finding import Incomplete
from preimage.paper.options import FigureOptions
from preimage.paper.presets import NETWORKS, PRESETS

_log = logging.getLogger(__name__)

#: The paper's law: σ = 0.015, the standard deviation.
LAW = "gaussian:0.015"
#: In place of the slope of a trained encoder, or of its twin, which have the file's.
_OWN_SLOPE = 0.2
_FITTED_PIXELS = 5_000_000  # least squares sees at least so many: 300 photos of 128×128
_SCORED_PIXELS = 2**19  # per batch of an evaluation: 32 photos of 128×128


@dataclass(frozen=True)
class Settings:
    """All that the training of an arm takes, and the folder that keeps it."""

    encoder: EncoderOptions
    decoder: DecoderOptions
    data: DataOptions
    recipe: Recipe
    folder: Path


@dataclass(frozen=True)
class TrainedArm:
    """A finished training: its decoder, and its loss at each step.

    A loss is the squared error per value of a pixel, in squared grey levels: the paper's equation
    (1) over the batch's photos and the 3·crop² values of each.
    """

    inverter: Inverter
    losses: list[float]


class Trainings:
    """The trainings of one figure: made when they are asked for, kept below `options.out`.

    `seconds` is the processor time of all steps and fits so far, those of earlier runs included,
    and of this run's scores.

    Args:
        options: of the figure.
        side: of the photos in memory, where the scale holds them there and the options name none.
        takes: architectures of trained encoders; a file of another one is named and left out.

    Raises:
        ValueError: no photos to train on, or none held out.
        CheckpointError: the card of a trained encoder's file is damaged.
    """

    def __init__(
        self,
        options: FigureOptions,
        side: int | None = None,
        takes: Sequence[ArchitectureName] = ("vgg16",),
    ) -> None:
        given = options.training
        self.trained = {file: architecture_of(file) for file in given.trained}
        if unused := [file for file, name in self.trained.items() if name not in takes]:
            known = " and ".join(NAMES[name] for name in takes)
            _log.warning("%s takes %s; left out: %s.", options.figure, known, ", ".join(unused))
        for name in ("train", "held_out"):
            if not getattr(given, name):
                raise ValueError(
                    f"{options.figure} trains decoders and scores them on other photos: `{name}` "
                    "is missing; name a folder, a zip or shards of photos."
                )
        self.strict = given.strict
        self.options, self.train_photos, self.held_out = options, given.train, given.held_out
        names = ("steps", "width_factor", "photos", "batch_size")
        changes = {n: v for n in names if (v := getattr(given, n)) is not None}
        self.preset = replace(PRESETS[options.scale], **changes)
        side = given.side or (side if self.preset.in_memory else None)
        if side is not None:
            self.preset = replace(self.preset, in_memory=side, crop=min(side, self.preset.crop))
        self.fitted_photos = max(self.preset.photos, _FITTED_PIXELS // self.side**2)
        self._seconds: dict[str | Path, float] = {}
        minutes = options.execution.max_minutes
        self.deadline = time.monotonic() + 60 * minutes if minutes else float("inf")

    @property
    def seconds(self) -> float:
        """Processor time of everything so far; what is asked for twice counts once."""
        return float(sum(self._seconds.values()))

    @property
    def num_networks(self) -> int:
        """Random networks per point, as asked for, else the scale's."""
        return self.options.networks or NETWORKS[self.options.scale]

    @property
    def num_compared(self) -> int:
        """Random networks beside trained ones: one where a single trained one has no interval."""
        several = len(self.trained_files()) > 1
        return self.options.networks or (NETWORKS["quick"] if several else 1)

    def random_encoder(
        self,
        layer: str,
        number: int,
        *,
        law: str = LAW,
        architecture: ArchitectureName = "vgg16",
        slope: float = 0.0,
        twin_of: str | None = None,
    ) -> EncoderOptions:
        """A random encoder of the figure's width, or the twin of a trained one."""
        factor = None if twin_of else self.preset.width_factor  # the file's encoder has its own
        spec = EncoderSpec(architecture=architecture, layer=layer, slope=slope, width_factor=factor)
        return EncoderOptions(
            spec=spec,
            weights=law,
            twin_of=twin_of,
            seed=self.options.seed,
            network_number=number,
            input=DECODER_INPUTS[self.preset.recipe],
        )

    def trained_files(self, architecture: ArchitectureName = "vgg16") -> tuple[str, ...]:
        """Those asked for, else torchvision's VGG16: at scale `paper`, or if it is there."""
        if files := tuple(file for file, name in self.trained.items() if name == architecture):
            return files
        fetched = self.options.scale == "paper" or cached_file("vgg16").is_file()
        return ("imagenet",) if fetched and architecture == "vgg16" else ()

    def encoders(
        self, layer: str, networks: int, architecture: ArchitectureName = "vgg16"
    ) -> list[Encoders]:
        """Random encoders and, where there are files, trained ones that differ in weights alone."""
        files = self.trained_files(architecture)
        random = self.random_encoders(layer, networks, architecture, (*files, None)[0])
        if not files:
            return [random]
        spec = EncoderSpec(architecture=architecture, layer=layer, slope=_OWN_SLOPE)
        seed, own = self.options.seed, DECODER_INPUTS[self.preset.recipe]
        trained = tuple(EncoderOptions(spec=spec, weights=f, seed=seed, input=own) for f in files)
        label = "pre-trained on ImageNet" if files == ("imagenet",) else "trained here"
        return [random, Encoders(f"{NAMES[architecture]} {label}", trained)]

    def random_encoders(
        self,
        layer: str,
        networks: int,
        architecture: ArchitectureName = "vgg16",
        twin_of: str | None = None,
    ) -> Encoders:
        """Twins of a trained one; without one, random ones with ReLU and the preset's width."""
        random = tuple(
            self.random_encoder(
                layer,
                number,
                architecture=architecture,
                slope=_OWN_SLOPE if twin_of else 0.0,
                twin_of=twin_of,
            )
            for number in range(networks)
        )
        return Encoders(f"{NAMES[architecture]} random", random)

    @property
    def side(self) -> int:
        """Side of the photos that decoders are scored on, in pixels."""
        return self.preset.in_memory or SIZE

    def settings(self, arm: Arm) -> Settings:
        """What the training of an arm takes."""
        recipe = DECODER_RECIPES[self.preset.recipe].changed(**self._changes(arm))
        name = training_name(self._named(arm), arm.encoder, Path(self.train_photos).name)
        return Settings(
            arm.encoder,
            DecoderOptions(),
            DataOptions(
                data=self.train_photos, in_memory=self.preset.in_memory, strict=self.strict
            ),
            recipe,
            Path(self.options.out) / "trainings" / name,
        )

    @property
    def batch_size(self) -> int:
        """Photos per step, where an arm has no number of its own."""
        return self._batch_size() or DECODER_RECIPES[self.preset.recipe].batch_size

    def _batch_size(self) -> int | None:
        """None is the recipe's; small photos come in batches of more, to fill as many pixels."""
        small = self.options.scale == "quick" and self.side <= self.preset.crop
        return self.preset.batch_size or (64 if small else None)

    def _changes(self, arm: Arm) -> dict[str, Any]:
        """What an arm and its preset change in the recipe; None is the recipe's."""
        preset = self.preset
        return {
            "steps": arm.steps or preset.steps,
            "batch_size": arm.batch_size or self._batch_size(),
            "learning_rate": arm.learning_rate or preset.learning_rate,
            "crop": arm.crop or preset.crop,
            "precision": preset.precision,
            "feature_scaling": arm.feature_scaling,
        }

    def _named(self, arm: Arm) -> dict[str, Any]:
        """What names the folder of an arm."""
        preset = self.preset
        return {"recipe": preset.recipe, "in_memory": preset.in_memory, **self._changes(arm)}

    def train(self, arm: Arm) -> TrainedArm:
        """An arm, trained now as far as it was not.

        Raises:
            Incomplete: time was up.
        """
        left = max((self.deadline - time.monotonic()) / 60, 1e-3)
        minutes = None if isinf(left) else left
        machine = MachineOptions(device=self.options.device, max_minutes=minutes)
        s = self.settings(arm)
        inverter = train_decoder(s.encoder, s.decoder, s.data, s.recipe, s.folder, machine)
        if inverter is None:
            raise Incomplete([], f"{self.options.figure}: time was up; run it again to go on.")
        values = 3 * s.recipe.crop**2
        lines = read_metrics(s.folder / METRICS_FILE)
        if [line["step"] for line in lines] != list(range(1, s.recipe.steps + 1)):
            raise ValueError(
                f"{s.folder / METRICS_FILE}: lacks losses of some steps, without which there is no "
                "curve; delete that folder, and it is trained again."
            )
        self._seconds[s.folder] = core_seconds(lines)
        return TrainedArm(inverter, [line["loss"] / values for line in lines])

    def fit_file(self, encoder: EncoderOptions) -> Path:
        """Where the least-squares decoder of an encoder is kept."""
        name = fit_name(encoder, Path(self.train_photos).name, self.fitted_photos, self.side)
        return Path(self.options.out) / "fits" / f"{name}.safetensors"

    def fit(self, encoder: EncoderOptions) -> Inverter:
        """The least-squares decoder of an encoder, with 3×3 windows of features."""
        path = self.fit_file(encoder)
        if path.exists():
            fitted = Inverter.load(path)
        else:
            fitted = fit_decoder(
                encoder,
                self.train_photos,
                path,
                photos=self.fitted_photos,
                size=self.side,
                device=self.options.device,
                strict=self.strict,
            )
        times = fitted.card["training"]
        self._seconds[path] = times.get("core_seconds", times["seconds"])
        return fitted

    def scores(self, inverter: Inverter) -> dict[str, dict[str, Evaluation]]:
        """By photos (`training`, `held-out`) and method: scores of the first photos of each."""
        start = time.process_time()
        count, side, strict = self.preset.photos, self.side, self.strict
        training = open_squares(self.train_photos, side, count, strict=strict)
        held_out = open_squares(self.held_out, side, count, argument="held_out", strict=strict)
        mean = mean_image(training.pixels)
        batch = max(1, _SCORED_PIXELS // side**2)
        scores: dict[str, dict[str, Evaluation]] = {
            "training": evaluate(inverter, training.pixels, mean, batch_size=batch),
            "held-out": evaluate(inverter, held_out.pixels, mean, batch_size=batch),
        }
        self._seconds["scores"] = self._seconds.get("scores", 0.0) + time.process_time() - start
        return scores
