"""`--model` of fit and train: a layer of any model in place of a description's."""

from preimage.decoders.options import EncoderOptions
from preimage.network.encoder import Encoder
from preimage.probing.open_layer import open_layer


def chosen_encoder(model: str | None, options: EncoderOptions) -> EncoderOptions | Encoder:
    """The layer of the model, with the weights and the seed of the options; without a model, them.

    Raises:
        ValueError: no such model, layer or weights.
    """
    if model is None:
        return options
    return open_layer(model, options.spec.layer, options.weights, seed=options.seed)
