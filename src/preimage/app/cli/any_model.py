"""`--model` of fit and train: a layer of any model in place of a description's."""

from dataclasses import asdict

from preimage.app.cli.decoder_commands import WithModel
from preimage.decoders.options import EncoderOptions
from preimage.network.encoder import Encoder
from preimage.probing.open_layer import open_layer


def chosen_encoder(command: WithModel, options: EncoderOptions) -> EncoderOptions | Encoder:
    """The layer of the model, with the weights and the seed of the options; without a model, them.

    Raises:
        ValueError: no such model, layer or weights.
    """
    if command.model is None:
        return options
    layer, pixels = options.spec.layer, asdict(command.pixels)
    return open_layer(command.model, layer, options.weights, seed=options.seed, **pixels)
