"""The commands of the verbs about decoders that learn, composed of the library's option sets."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

from preimage.app.cli.options import option_set
from preimage.app.cli.probe_commands import PixelOptions
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
from preimage.network.ranges import Above0, Kernel, Positive, Side, SideOrAsItIs
from preimage.network.spec import Checked, DeviceName, EncoderSpec

#: What describes a CNN, and so means nothing for a layer of a model.
_OF_DESCRIPTIONS = {field.name for field in fields(EncoderSpec)} - {"layer"}
_OF_DESCRIPTIONS |= {"input", "twin_of", "network_number"}


@dataclass(frozen=True, kw_only=True)
class WithModel(Checked):
    """A verb that takes a layer of any model in place of a CNN of ours.

    Args:
        model: Take the layer from this model: torchvision:NAME, timm:NAME, hf:OWNER/NAME, vgg16,
            alexnet, or FILE.py:FUNCTION, a function that returns a torch module; the file is run.
            --layer is then the path of a module in it, such as layer2 or features.8.
    """

    model: str | None = None
    pixels: PixelOptions = option_set(PixelOptions(), without=("size",))

    def check_given(self, given: Collection[str]) -> None:
        """Refuses options that do not go together.

        Raises:
            ValueError: they do not.
        """
        if self.model is None:
            if self.pixels != PixelOptions():
                raise ValueError("`mean`, `std`, `scale` and `raw` are for the layer of a `model`.")
            return
        if needless := sorted(_OF_DESCRIPTIONS.intersection(given)):
            raise ValueError(
                f"{', '.join(f'`{name}`' for name in needless)} cannot be given with `model`: they "
                "describe a network of ours."
            )
        if "layer" not in given:
            raise ValueError(f"`layer` is missing; name a module of {self.model}.")


@dataclass(frozen=True, kw_only=True)
class RecipeChanges(Checked):
    """What a training changes of its recipe; None leaves it.

    Args:
        steps: Number of steps; as the options that follow, the recipe's if not given.
        batch_size: Photos per step, over all processes.
        learning_rate: Adam's rate at its highest.
        crop: Side of the random crops in pixels.
        precision: bf16 computes convolutions in bfloat16 and keeps weights in float32; auto times
            both at the start of the run and takes the faster.
        feature_scaling: Divide features by their root mean square, one constant.
    """

    steps: Positive | None = None
    batch_size: Positive | None = None
    learning_rate: Above0 | None = None
    crop: Side | None = None
    precision: PrecisionName | None = None
    feature_scaling: bool | None = None

    def of(self, recipe: Recipe) -> Recipe:
        """The recipe with what was given in place of its own."""
        return recipe.changed(**vars(self))


@dataclass(frozen=True, kw_only=True)
class TrainCommand(WithModel):
    """Train the DCN on the features of a CNN (Section 3), or of a layer of any model.

    Args:
        slope: Slope of the CNN's activation below zero: 0 ReLU, 0.2 the paper's leaky ReLU, 1 none.
        input: What the CNN does to pixels in [0, 255] first: imagenet subtracts ImageNet's mean and
            divides by its standard deviation; imagenet if not given, mean-subtracted with --recipe
            paper.
        recipe: paper is Section 3's own; quick is for CPUs.
        out: Folder of the run; the same command resumes it.
        held_out: Photos to measure the PSNR on while it trains; as in --data.
        decoder_slope: Slope of the DCN's activation below zero.
        decoder_bias: Give the DCN's convolutions biases.
        dry_run: Print steps, work, disk and time, and stop.
        device: Where to compute; auto takes a GPU if there is one.
    """

    recipe: RecipeName = "quick"
    out: str = "preimage-train"
    dry_run: bool = False
    input: Input | None = None
    encoder: EncoderOptions = option_set(EncoderOptions(), without=("input",))
    decoder: DecoderOptions = option_set(
        DecoderOptions(), slope="decoder_slope", bias="decoder_bias"
    )
    photos: DataOptions = option_set(DataOptions())
    changes: RecipeChanges = option_set(RecipeChanges())
    machine: MachineOptions = option_set(MachineOptions())

    def training_recipe(self) -> Recipe:
        """The recipe, changes and all."""
        return self.changes.of(DECODER_RECIPES[self.recipe])

    def encoder_options(self) -> EncoderOptions:
        """The encoder; the paper's recipe leaves its input in [0, 255], the mean subtracted."""
        return replace(self.encoder, input=self.input or DECODER_INPUTS[self.recipe])


@dataclass(frozen=True, kw_only=True)
class PretrainCommand(Checked):
    """Train a CNN to tell classes apart, so that a trained encoder exists for any data set.

    Args:
        data: Training photos, in a folder for each class; as in preimage train.
        test: Test photos, in a folder for each class.
        out: Folder of the run; the same command resumes it.
        no_batch_norm: Train without batch normalisation, which is otherwise folded in afterwards.
        seed: Seed of the weights and of the order of photos.
        in_memory: Read all photos once, as squares of this side in pixels, and keep them; 0 reads
            each when it is needed.
        dry_run: Print steps, work, disk and time, and stop.
        device: Where to compute; auto takes a GPU if there is one.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
    """

    data: str = ""
    test: str | None = None
    out: str = "preimage-pretrain"
    no_batch_norm: bool = False
    seed: int = 0
    in_memory: SideOrAsItIs = 0
    strict: bool = False
    dry_run: bool = False
    encoder: EncoderSpec = option_set(EncoderSpec(layer="conv5"))
    changes: RecipeChanges = option_set(RecipeChanges(), without=("feature_scaling",))
    machine: MachineOptions = option_set(MachineOptions())

    def training_recipe(self) -> Recipe:
        """The recipe, changes and all."""
        return self.changes.of(CLASSIFIER_RECIPE)


@dataclass(frozen=True, kw_only=True)
class FitCommand(WithModel):
    """Fit a decoder in closed form, in one pass over photos, to a CNN or a layer of any model.

    The decoder is the best linear map from a window of feature maps to pixels.

    Args:
        input: What the CNN does to pixels in [0, 255] first: imagenet subtracts ImageNet's mean and
            divides by its standard deviation.
        window: Side of the window in positions of the feature map; odd.
        positions: Windows per photo, drawn at random; all if 0.
        data: Training photos; as in preimage train.
        photos: Use only the first so many of them; all if 0.
        size: Photos are cropped to their centre square and resized to this side, in pixels.
        out: File of the decoder.
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
        device: Where to compute; auto takes a GPU if there is one.
    """

    data: str = ""
    photos: int = 0
    size: Side = 224
    window: Kernel = 3
    positions: int = 0
    out: str = "decoder.safetensors"
    strict: bool = False
    device: DeviceName = "auto"
    encoder: EncoderOptions = option_set(EncoderOptions())


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand(Checked):
    """Score a decoder on the photos it was trained on and on others, next to baselines.

    Args:
        decoder: File of the decoder.
        weights: The file of its model's weights, if it is no longer where it was.
        model: The model that its file names, where opening that runs code or asks the network:
            FILE.py:FUNCTION or hf:OWNER/NAME. A file alone is no reason to.
        data: Photos that it was trained on; the mean image is theirs.
        held_out: Photos that it has not seen.
        photos: Use only the first so many of each; all if 0.
        size: Photos are cropped to their centre square and resized to this side, in pixels.
        out: Folder for the scores of every photo, and a page about them (report.html).
        strict: Refuse photos that cannot be read; otherwise they are named and left out.
        device: Where to compute; auto takes a GPU if there is one.
    """

    decoder: str
    weights: str | None = None
    model: str | None = None
    data: str = ""
    held_out: str = ""
    photos: int = 0
    size: Side = 224
    out: str = "preimage-evaluate"
    strict: bool = False
    device: DeviceName = "auto"
