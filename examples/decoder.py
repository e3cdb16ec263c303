"""The best linear decoder of a layer, fitted to photos in closed form, and what it gives back.

    python examples/decoder.py [PHOTOS]

PHOTOS is a folder, best of a hundred photos or more; without it crops of the embedded photos do.
"""

import sys

import torch

from preimage import embedded_photos, evaluate, fit_decoder
from preimage.decoders.options import EncoderOptions
from preimage.network.spec import EncoderSpec


def main(photos: str | None) -> None:
    encoder = EncoderOptions(spec=EncoderSpec(layer="conv2", width_factor=0.0625))
    crops = [part for p in embedded_photos(160) for part in p.pixels.split(40, 1)]
    embedded = torch.stack([crop for part in crops for crop in part.split(40, 2)])
    inverter = fit_decoder(encoder, photos or embedded[:56], "decoder.safetensors", size=40)
    print(inverter, inverter.decoder.record, sep="\n")
    print(evaluate(inverter, embedded[56:]))
    inverter.invert(embedded[56:]).plot().savefig("decoder.png", dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:] or [None])
