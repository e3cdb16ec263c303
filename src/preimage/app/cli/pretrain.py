"""`preimage pretrain`: an encoder trained to tell classes apart."""

from pathlib import Path

from accelerate import PartialState

from preimage.app.cli.decoder_commands import PretrainCommand
from preimage.app.cli.estimate import announced_by_pace
from preimage.app.cli.train import print_cost, unfinished
from preimage.decoders.cards import CLASSIFIER_KIND, open_card
from preimage.decoders.costs import training_cost, training_disk
from preimage.decoders.pretrain import CLASSIFIER_FILE, pretrain_encoder


def run(config: PretrainCommand) -> int:
    """Trains, tests, and writes `encoder.safetensors`."""
    recipe = config.training_recipe()
    if config.dry_run:
        cost = training_cost(config.encoder.encoder(), None, recipe, config.machine, config.out)
        return print_cost(cost, recipe)
    with announced_by_pace("train", training_disk(config.encoder.encoder(), recipe)):
        model = pretrain_encoder(
            config.encoder,
            config.data,
            recipe,
            config.out,
            config.machine,
            test=config.test,
            in_memory=config.in_memory,
            batch_norm=not config.no_batch_norm,
            seed=config.seed,
            strict=config.strict,
        )
    if not PartialState().is_main_process:
        return 0
    if model is None:
        return unfinished(config.out)
    path = Path(config.out) / CLASSIFIER_FILE
    tested = open_card(path, CLASSIFIER_KIND)["accuracy"]
    if tested:
        print(f"test accuracy {tested['accuracy']:.4f} on {tested['photos']:,} photos")
    print(path)
    return 0
