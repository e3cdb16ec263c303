"""`preimage train`: the DCN on the features of a CNN."""

from dataclasses import replace
from pathlib import Path

from accelerate import PartialState

from preimage.app.cli.any_model import chosen_encoder
from preimage.app.cli.decoder_commands import TrainCommand
from preimage.app.cli.estimate import announced_by_pace, whole
from preimage.decoders.costs import TrainingCost, training_cost, training_disk
from preimage.decoders.encoders import trained_encoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.options import EncoderOptions
from preimage.decoders.recipes import Recipe
from preimage.decoders.run_folder import saved_step
from preimage.decoders.train import DECODER_FILE, train_decoder
from preimage.network.description import Description
from preimage.network.encoder import Encoder
from preimage.network.weights import weights_kind


def run(config: TrainCommand) -> int:
    """Trains and writes `decoder.safetensors`."""
    recipe = config.training_recipe()
    if config.dry_run:
        encoder = _cheap_encoder(config)
        decoder = config.decoder.description(encoder)
        cost = training_cost(encoder, decoder, recipe, config.machine, config.out)
        return print_cost(cost, recipe)
    chosen = chosen_encoder(config, config.encoder_options())
    mirrored = chosen if isinstance(chosen, Encoder) else _cheap_encoder(config)
    disk = training_disk(config.decoder.description(mirrored), recipe)
    with announced_by_pace("train", disk):
        inverter = train_decoder(
            chosen,
            config.decoder,
            config.photos,
            recipe,
            config.out,
            config.machine,
            seed=config.encoder.seed,
        )
    if not PartialState().is_main_process:  # one of several under torchrun; the first one speaks
        return 0
    if inverter is None:
        return unfinished(config.out)
    print(f"{recipe.steps:,} steps; {_error(inverter, recipe)}\n{Path(config.out) / DECODER_FILE}")
    return 0


def _error(inverter: Inverter, recipe: Recipe) -> str:
    loss = inverter.card["metrics"]["loss"]
    if loss is None:
        return "the losses of the last ones are lost"
    error = loss / (3 * recipe.crop**2)
    return f"mean squared error of the last ones {error:.1f} squared grey levels"


def _cheap_encoder(config: TrainCommand) -> Description | Encoder:
    """The encoder; a file says its own, but nothing is downloaded to tell a cost."""
    options = config.encoder_options()
    if config.model is not None:
        untrained = chosen_encoder(config, replace(options, weights=EncoderOptions.weights))
        assert isinstance(untrained, Encoder)
        return untrained
    source = options.twin_of or options.weights
    if weights_kind(source) != "file":
        return options.description()
    return trained_encoder(source, options.spec)[0].description


def unfinished(out: str) -> int:
    """Says where the run stands; not finished in time is no failure."""
    print(f"stopped after {saved_step(Path(out)):,} steps; the same command goes on from there")
    return 0


def print_cost(found: TrainingCost, recipe: Recipe) -> int:
    """Prints what a run would take."""
    print(
        f"{found.steps:,} steps of {recipe.batch_size} photos, {recipe.crop}×{recipe.crop}"
        f"{f'; {found.done:,} are done' if found.done else ''}\n"
        f"{2 * found.multiply_adds:.2e} FLOPs, inserted zeros counted\n"
        f"{found.seconds_per_step:.3g} s per step, timed on this machine in {found.precision}\n"
        f"{whole(found)}"
    )
    return 0
