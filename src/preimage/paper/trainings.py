"""Decoders trained side by side (Section 3): which ones a figure needs, and what became of them.

An `Arm` is one training: its words, beyond the figure's preset, are those of `TrainCommand`. Arms
are kept in folders named by their settings, so figures share what they have in common, and a run
that was stopped goes on.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from preimage.app.cli.commands import ReproduceCommand
from preimage.decoders.evaluate import Evaluation, evaluate, mean_image
from preimage.decoders.inverter import Inverter
from preimage.decoders.learning import fit_decoder, open_squares, train_decoder
from preimage.decoders.options import EncoderConfig, FitCommand, TrainCommand
from preimage.decoders.pretrained import cached_file
from preimage.decoders.run_folder import read_metrics
from preimage.paper.finding import Incomplete

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
_UNNAMED = ("data", "held_out", "out", "device", "max_minutes", "workers", "save_every")


@dataclass(frozen=True)
class Encoders:
    """A kind of encoder in a figure: its name, and the words of each of its networks."""

    label: str
    networks: tuple[Mapping[str, Any], ...]


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
    """The trainings of one figure: made when they are asked for, kept below `--out`.

    Raises:
        ValueError: no photos to train on, or none held out.
    """

    def __init__(self, config: ReproduceCommand) -> None:
        for option in ("train", "held_out"):
            if not getattr(config, option):
                raise ValueError(
                    f"{config.figure} trains decoders: name photos with --train FOLDER and others "
                    "with --held-out FOLDER."
                )
        self.config = config
        self.preset = {
            **PRESETS[config.scale],
            **{
                name: value
                for name in ("steps", "width_factor", "photos", "batch_size")
                if (value := getattr(config, name)) is not None
            },
        }
        if config.side is not None:
            self.preset["in_memory"] = config.side
            self.preset["crop"] = min(config.side, self.preset["crop"])
        self.deadline = time.monotonic() + 60 * (config.max_minutes or 1e9)

    @property
    def side(self) -> int:
        """The side of the photos that decoders are scored on."""
        return int(self.preset["in_memory"] or _EVALUATION_SIDE)

    def encoders(self) -> tuple[list[Encoders], list[str]]:
        """Random and trained encoders that differ in their weights alone, and what is absent.

        Trained ones are the files of `--trained`, else torchvision's VGG16 if its file is there (at
        scale `paper` it is fetched). Random ones are their twins: `--networks` of them.
        """
        law = "gaussian:0.015"
        files = self.config.trained
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

    def command(self, words: Mapping[str, Any]) -> TrainCommand:
        """The training of an arm, in a folder named by its settings."""
        names = {f.name for f in fields(TrainCommand)}
        preset = {key: value for key, value in self.preset.items() if key in names}
        if words.get("twin_of") or not _is_random(words):
            preset.pop("width_factor", None)  # the file's encoder has its own
        if "batch_size" not in preset and self.side <= preset["crop"]:
            preset["batch_size"] = 64 if self.config.scale == "quick" else None
        command = TrainCommand(
            **{
                **preset,
                "data": self.config.train,
                "seed": self.config.seed,
                "device": self.config.device,
                **words,
            }
        )
        settings = {k: v for k, v in asdict(command).items() if k not in _UNNAMED}
        name = _name(settings | {"data": Path(self.config.train).name}, command)
        return replace(command, out=str(Path(self.config.out) / "trainings" / name))

    def train(self, words: Mapping[str, Any]) -> Outcome:
        """The outcome of an arm, trained now as far as it was not.

        Raises:
            Incomplete: time was up.
        """
        left = (self.deadline - time.monotonic()) / 60
        command = replace(self.command(words), max_minutes=max(left, 1e-3))
        inverter = train_decoder(command)
        if inverter is None:
            raise Incomplete([], f"{self.config.figure}: time was up; the same command goes on.")
        lines = read_metrics(Path(command.out) / "metrics.jsonl")
        values = 3 * command.training_recipe().crop ** 2
        return Outcome(
            inverter,
            [line["loss"] / values for line in lines],
            sum(line["seconds"] for line in lines),
        )

    def fit(self, words: Mapping[str, Any], window: int = 3) -> Inverter:
        """The least-squares decoder of an encoder, on as many photos as are scored."""
        shared = {f.name for f in fields(EncoderConfig)}
        train = asdict(self.command(words))
        command = FitCommand(
            **{key: value for key, value in train.items() if key in shared},
            window=window,
            data=self.config.train,
            size=self.side,
            photos=self.fitted_photos,
            device=self.config.device,
        )
        settings = {k: v for k, v in asdict(command).items() if k not in _UNNAMED}
        name = _name(settings | {"data": Path(self.config.train).name}, command)
        path = Path(self.config.out) / "fits" / f"{name}.safetensors"
        if path.exists():
            return Inverter.load(path)
        return fit_decoder(replace(command, out=str(path)))

    @property
    def fitted_photos(self) -> int:
        """Photos that least squares sees: of about five million pixels at the most."""
        return max(int(self.preset["photos"]), 5_000_000 // self.side**2)

    def scores(self, inverter: Inverter) -> dict[str, dict[str, Evaluation]]:
        """By photos (`training`, `held-out`) and method: scores of the first photos of each."""
        count = self.preset["photos"]
        training = open_squares(self.config.train, self.side, count)
        held_out = open_squares(self.config.held_out, self.side, count, option="held-out")
        mean = mean_image(training.pixels)
        batch = max(1, 2**19 // self.side**2)
        return {
            "training": evaluate(inverter, training.pixels, mean, batch_size=batch),
            "held-out": evaluate(inverter, held_out.pixels, mean, batch_size=batch),
        }


def _is_random(words: Mapping[str, Any]) -> bool:
    return ":" in words.get("weights", "gaussian:fan-in")


def _name(settings: Mapping[str, Any], command: TrainCommand | FitCommand) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]
    weights = Path(command.weights).stem.replace(":", "-")
    return f"{command.architecture}-{command.layer}-{weights}-{digest}"


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
