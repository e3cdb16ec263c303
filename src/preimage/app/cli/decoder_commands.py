"""The verbs about decoders that learn: flat dataclasses, and the option sets they stand for."""

from dataclasses import dataclass, fields

from preimage.decoders.options import (
    DataOptions,
    DecoderOptions,
    EncoderOptions,
    Input,
    MachineOptions,
)
from preimage.decoders.recipes import (
    CLASSIFIER_RECIPE,
    DECODER_INPUTS,
    DECODER_RECIPES,
    PrecisionName,
    Recipe,
    RecipeName,
)
from preimage.network.operations import UnpoolKind
from preimage.network.spec import Checked, DeviceName, EncoderSpec


def _spec(command: EncoderSpec) -> EncoderSpec:
    return EncoderSpec(**{f.name: getattr(command, f.name) for f in fields(EncoderSpec)})


@dataclass(frozen=True, kw_only=True)
class EncoderCommand(EncoderSpec):
    """An encoder: a CNN up to a layer, with weights of any origin.

    Args:
        weights: A law such as gaussian:0.015 or gaussian:fan-in; imagenet for torchvision's
            pre-trained weights; or a file: torchvision's layout (.pth, .safetensors), or what
            preimage pretrain wrote.
        twin_of: With a law as weights, take everything else (architecture, activation, input) from
            the encoder of this file, or of imagenet; biases are zero.
        seed: Seed of all random streams.
        network_number: Number of the random network; each has its own weights.
        input: What the encoder does to pixels in [0, 255] first: imagenet subtracts ImageNet's
            mean and divides by its standard deviation.
    """

    slope: float = 0.2
    weights: str = "gaussian:fan-in"
    twin_of: str | None = None
    seed: int = 0
    network_number: int = 0
    input: Input | None = None

    def encoder_options(self, default_input: Input = "imagenet") -> EncoderOptions:
        """The encoder."""
        return EncoderOptions(
            spec=_spec(self),
            weights=self.weights,
            twin_of=self.twin_of,
            seed=self.seed,
            network_number=self.network_number,
            input=self.input or default_input,
        )


@dataclass(frozen=True, kw_only=True)
class TrainingCommand(Checked):
    """A training's data, its machine, and what it changes of the recipe.

    Args:
        data: Training photos: a folder, a zip (photos.zip/train is a folder in it), WebDataset
            shards, a glob pattern, or hf:owner/name:split.
        out: Folder of the run; the same command goes on with it.
        steps: Number of steps; the recipe's if not given, as all that follow.
        batch_size: Photos per step, over all processes.
        learning_rate: Adam's rate at its highest.
        crop: Side of the random crops in pixels.
        precision: bf16 computes convolutions in bfloat16 and keeps weights in float32; auto times
            both at the start of the run and takes the faster.
        feature_scaling: Divide features by their root mean square, one constant.
        max_minutes: Stop cleanly after this time.
        save_every: Seconds between two saved states.
        in_memory: Read all photos once, as squares of this side, and keep them; 0 reads each
            when it is needed.
        accumulate: Parts that each batch is computed in, to save memory.
        compile: Let torch.compile make the step; the first takes half a minute.
        workers: Processes that read photos ahead; as many as cores allow if not given.
        dry_run: Print steps, work, disk and hours, and stop.
        device: Where to compute; auto takes a GPU if there is one.
    """

    data: str = ""
    out: str = "preimage-train"
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    crop: int | None = None
    precision: PrecisionName | None = None
    feature_scaling: bool | None = None
    max_minutes: float | None = None
    save_every: float = 60.0
    in_memory: int = 0
    accumulate: int = 1
    compile: bool = False
    workers: int | None = None
    dry_run: bool = False
    device: DeviceName = "auto"

    def change(self, recipe: Recipe) -> Recipe:
        """The recipe with what was given in place of its own."""
        names = ("steps", "batch_size", "learning_rate", "crop", "precision", "feature_scaling")
        return recipe.changed(**{name: getattr(self, name) for name in names})

    def machine(self) -> MachineOptions:
        """Where and how to compute."""
        return MachineOptions(**{f.name: getattr(self, f.name) for f in fields(MachineOptions)})


@dataclass(frozen=True, kw_only=True)
class TrainCommand(TrainingCommand, EncoderCommand):
    """Train the DCN on the features of a CNN (Section 3).

    Args:
        recipe: paper is Section 3's own; quick is for CPUs.
        unpool: The kind of every unpooling.
        held_out: Photos to measure the PSNR on while it trains; as in --data.
        measure_every: Steps between two measurements.
        decoder_slope: Slope of the DCN's activation below zero.
        decoder_bias: Give the DCN's convolutions biases.
    """

    recipe: RecipeName = "quick"
    unpool: UnpoolKind = "zeros"
    held_out: str = ""
    measure_every: int = 400
    decoder_slope: float = 0.2
    decoder_bias: bool = False

    def training_recipe(self) -> Recipe:
        """The recipe, changes and all."""
        return self.change(DECODER_RECIPES[self.recipe])

    def encoder_options(self, default_input: Input | None = None) -> EncoderOptions:
        """The encoder; the paper's recipe leaves its input in [0, 255], the mean subtracted."""
        return super().encoder_options(default_input or DECODER_INPUTS[self.recipe])

    def decoder_options(self) -> DecoderOptions:
        """The DCN."""
        return DecoderOptions(unpool=self.unpool, slope=self.decoder_slope, bias=self.decoder_bias)

    def data_options(self) -> DataOptions:
        """The photos."""
        return DataOptions(**{f.name: getattr(self, f.name) for f in fields(DataOptions)})


@dataclass(frozen=True, kw_only=True)
class PretrainCommand(TrainingCommand, EncoderSpec):
    """Train a CNN to tell classes apart, so that a trained encoder exists for any data set.

    Args:
        data: Training photos in a folder for each class; as in preimage train.
        test: Test photos in a folder for each class.
        no_batch_norm: Train without batch normalisation, which is otherwise folded in afterwards.
        seed: Seed of the weights and of the order of photos.
    """

    layer: str = "conv5"
    out: str = "preimage-pretrain"
    test: str | None = None
    no_batch_norm: bool = False
    seed: int = 0

    def training_recipe(self) -> Recipe:
        """The recipe, changes and all."""
        return self.change(CLASSIFIER_RECIPE)

    def spec(self) -> EncoderSpec:
        """The CNN."""
        return _spec(self)


@dataclass(frozen=True, kw_only=True)
class FitCommand(EncoderCommand):
    """Fit a decoder in closed form, in one pass over photos.

    The decoder is the best linear map from a window of feature maps to pixels.

    Args:
        window: Side of the window; odd.
        positions: Windows taken of each photo, at random; all if 0.
        data: Training photos; as in preimage train.
        photos: Use so many of them, the first ones; all if 0.
        size: Photos are cropped to their centre square and resized to this side.
        out: File of the decoder.
        device: Where to compute; auto takes a GPU if there is one.
    """

    window: int = 3
    positions: int = 0
    data: str = ""
    photos: int = 0
    size: int = 224
    out: str = "decoder.safetensors"
    device: DeviceName = "auto"


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand(Checked):
    """Score a decoder on photos it was trained on and on others, beside baselines.

    Args:
        decoder: File of the decoder.
        data: Photos that it was trained on; the mean image is theirs.
        held_out: Photos that it has not seen.
        photos: Use so many of each, the first ones; all if 0.
        size: Photos are cropped to their centre square and resized to this side.
        out: Folder for the scores of every photo.
        device: Where to compute; auto takes a GPU if there is one.
    """

    decoder: str
    data: str = ""
    held_out: str = ""
    photos: int = 0
    size: int = 224
    out: str = "preimage-evaluate"
    device: DeviceName = "auto"
