"""Decoders trained side by side (Section 3): which ones a figure needs, and what became of them.

An arm is one training: its options, flat, beyond the figure's preset. Arms are kept in folders
named by their settings, so figures share what they have in common, and a run that was stopped goes
on.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from preimage.data.memory import open_squares
from preimage.decoders.evaluate import Evaluation, evaluate, mean_image
from preimage.decoders.fit import fit_decoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.options import DataOptions, DecoderOptions, EncoderOptions, MachineOptions
from preimage.decoders.pretrained import cached_file
from preimage.decoders.recipes import DECODER_INPUTS, DECODER_RECIPES, Recipe
from preimage.decoders.run_folder import read_metrics
from preimage.decoders.train import train_decoder
from preimage.network.spec import EncoderSpec
from preimage.paper.finding import Incomplete
from preimage.paper.options import FigureOptions

#: Settings of every training of a scale; `rates` are tried where a figure tunes the learning rate.
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "recipe": "quick",
        "steps": 300,
        "learning_rate": 2e-3,
        "width_factor": 0.25,
        "crop": 64,
        "in_memory": 128,
        "photos": 100,
        "rates": (2e-3, 4e-3, 8e-3),
    },
    "paper": {
        "recipe": "paper",
        "steps": 200_000,
        "width_factor": None,
        "crop": 227,
        "in_memory": 0,
        "photos": 5000,
        "rates": (),
    },
}
_EVALUATION_SIDE = 227  # where photos are not held in memory
#: Options of an arm that neither a preset nor a figure gives; folders are named by all of them.
_DEFAULTS: dict[str, Any] = {
    "architecture": "vgg16",
    "layer": "conv3",
    "pooled": False,
    "pool": "max",
    "unpool": "zeros",
    "width": None,
    "width_factor": None,
    "kernel_size": None,
    "slope": 0.2,
    "simplified": "no",
    "head": "conv",
    "weights": "gaussian:fan-in",
    "twin_of": None,
    "seed": 0,
    "network_number": 0,
    "input": None,
}
_TRAINING_DEFAULTS: dict[str, Any] = {
    **_DEFAULTS,
    "steps": None,
    "batch_size": None,
    "learning_rate": None,
    "crop": None,
    "precision": None,
    "feature_scaling": None,
    "in_memory": 0,
    "accumulate": 1,
    "compile": False,
    "dry_run": False,
    "recipe": "quick",
    "measure_every": 400,
    "decoder_slope": 0.2,
    "decoder_bias": False,
}
_RECIPE = ("steps", "batch_size", "learning_rate", "crop", "precision", "feature_scaling")


@dataclass(frozen=True)
class Encoders:
    """A kind of encoder in a figure: its name, and the words of each of its networks."""

    label: str
    networks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Training:
    """The options of an arm, and the folder that keeps it."""

    encoder: EncoderOptions
    decoder: DecoderOptions
    data: DataOptions
    recipe: Recipe
    out: Path


@dataclass(frozen=True)
class Outcome:
    """A finished training: its loss at each step, and the time it took in seconds.

    A loss is the squared error of one value of a pixel, in squared grey levels: the paper's
    equation (1) over the batch's photos and the 3·crop² values of each.
    """

    inverter: Inverter
    losses: list[float]
    seconds: float


class Trainings:
    """The trainings of one figure: made when they are asked for, kept below `out`.

    Raises:
        ValueError: no photos to train on, or none held out.
    """

    def __init__(self, config: FigureOptions) -> None:
        given = config.training
        if not (given.train and given.held_out):
            raise ValueError(
                f"{config.figure} trains decoders: name photos as `train` and others as `held_out`."
            )
        self.config = config
        self.preset = {
            **PRESETS[config.scale],
            **{
                name: value
                for name in ("steps", "width_factor", "photos", "batch_size")
                if (value := getattr(given, name)) is not None
            },
        }
        if given.side is not None:
            self.preset["in_memory"] = given.side
            self.preset["crop"] = min(given.side, self.preset["crop"])
        self.deadline = time.monotonic() + 60 * (config.execution.max_minutes or 1e9)

    @property
    def side(self) -> int:
        """The side of the photos that decoders are scored on."""
        return int(self.preset["in_memory"] or _EVALUATION_SIDE)

    def encoders(self) -> tuple[list[Encoders], list[str]]:
        """Random and trained encoders that differ in their weights alone, and what is absent.

        Trained ones are the files of `trained`, else torchvision's VGG16 if its file is there (at
        scale `paper` it is fetched). Random ones are their twins: `networks` of them.
        """
        law = "gaussian:0.015"
        files = self.config.training.trained
        absent = []
        if not files:
            if self.config.scale == "paper" or cached_file("vgg16").is_file():
                files = ("imagenet",)
            else:
                absent.append("VGG16 pre-trained on ImageNet")
        twin = {"twin_of": files[0]} if files else {"slope": 0.0}
        count = self.config.networks or (3 if len(files) > 1 else 1)
        found = [
            Encoders(
                "VGG16 random",
                tuple({"weights": law, "network_number": n, **twin} for n in range(count)),
            )
        ]
        if files:
            label = "pre-trained on ImageNet" if files == ("imagenet",) else "trained here"
            networks = tuple({"weights": file} for file in files)
            found.append(Encoders(f"VGG16 {label}", networks))
        return found, absent

    def training(self, words: Mapping[str, Any]) -> Training:
        """The training of an arm, in a folder named by its settings."""
        options = self._options(words)
        recipe = DECODER_RECIPES[options["recipe"]].changed(**{k: options[k] for k in _RECIPE})
        return Training(
            _encoder(options),
            DecoderOptions(unpool=options["unpool"]),
            DataOptions(data=self.config.training.train, in_memory=options["in_memory"]),
            recipe,
            Path(self.config.out) / "trainings" / self._name(options),
        )

    def _options(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """All options of an arm, flat."""
        preset = {k: value for k, value in self.preset.items() if k in _TRAINING_DEFAULTS}
        if words.get("twin_of") or not _is_random(words):
            preset.pop("width_factor", None)  # the file's encoder has its own
        if "batch_size" not in preset and self.side <= preset["crop"]:
            preset["batch_size"] = 64 if self.config.scale == "quick" else None
        return {**_TRAINING_DEFAULTS, **preset, "seed": self.config.seed, **words}

    def _name(self, options: Mapping[str, Any]) -> str:
        settings = {**options, "data": Path(self.config.training.train).name}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]
        weights = Path(options["weights"]).stem.replace(":", "-")
        return f"{options['architecture']}-{options['layer']}-{weights}-{digest}"

    def train(self, words: Mapping[str, Any]) -> Outcome:
        """The outcome of an arm, trained now as far as it was not.

        Raises:
            Incomplete: time was up.
        """
        left = (self.deadline - time.monotonic()) / 60
        machine = MachineOptions(device=self.config.device, max_minutes=max(left, 1e-3))
        arm = self.training(words)
        inverter = train_decoder(arm.encoder, arm.decoder, arm.data, arm.recipe, arm.out, machine)
        if inverter is None:
            raise Incomplete([], f"{self.config.figure}: time was up; the same command goes on.")
        lines = read_metrics(arm.out / "metrics.jsonl")
        values = 3 * arm.recipe.crop**2
        return Outcome(
            inverter,
            [line["loss"] / values for line in lines],
            sum(line["seconds"] for line in lines),
        )

    def fit(self, words: Mapping[str, Any], window: int = 3) -> Inverter:
        """The least-squares decoder of an encoder, on as many photos as are scored."""
        options = {k: v for k, v in self._options(words).items() if k in _DEFAULTS}
        fitting = {
            "decoder": "least-squares",
            "window": window,
            "positions": 0,
            "photos": self.fitted_photos,
            "size": self.side,
        }
        path = Path(self.config.out) / "fits" / f"{self._name(options | fitting)}.safetensors"
        if path.exists():
            return Inverter.load(path)
        return fit_decoder(
            _encoder({**options, "recipe": "quick"}),
            self.config.training.train,
            path,
            window=window,
            photos=self.fitted_photos,
            size=self.side,
            device=self.config.device,
        )

    @property
    def fitted_photos(self) -> int:
        """Photos that least squares sees: of about five million pixels at the most."""
        return max(int(self.preset["photos"]), 5_000_000 // self.side**2)

    def scores(self, inverter: Inverter) -> dict[str, dict[str, Evaluation]]:
        """By photos (`training`, `held-out`) and method: scores of the first photos of each."""
        count = self.preset["photos"]
        training = open_squares(self.config.training.train, self.side, count)
        held_out = open_squares(
            self.config.training.held_out, self.side, count, argument="held_out"
        )
        mean = mean_image(training.pixels)
        batch = max(1, 2**19 // self.side**2)
        return {
            "training": evaluate(inverter, training.pixels, mean, batch_size=batch),
            "held-out": evaluate(inverter, held_out.pixels, mean, batch_size=batch),
        }


def _is_random(words: Mapping[str, Any]) -> bool:
    return ":" in words.get("weights", "gaussian:fan-in")


def _encoder(options: Mapping[str, Any]) -> EncoderOptions:
    spec = {f.name: options[f.name] for f in fields(EncoderSpec)}
    names = ("weights", "twin_of", "seed", "network_number")
    return EncoderOptions(
        spec=EncoderSpec(**spec),
        **{name: options[name] for name in names},
        input=options["input"] or DECODER_INPUTS[options["recipe"]],
    )


def smooth(losses: Sequence[float], fraction: float = 0.05) -> list[float]:
    """The mean of each loss and those before it, over a window of a fraction of all steps."""
    width = max(1, round(fraction * len(losses)))
    total = [0.0]
    for loss in losses:
        total.append(total[-1] + loss)
    return [
        (total[i + 1] - total[max(0, i + 1 - width)]) / min(i + 1, width)
        for i in range(len(losses))
    ]


def steps_to(losses: Sequence[float], level: float) -> int | None:
    """The first step, counted from 1, at which the smoothed loss is at most `level`."""
    return next((i for i, loss in enumerate(smooth(losses), start=1) if loss <= level), None)
