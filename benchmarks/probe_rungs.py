"""The three rungs of a probe on the same photos: linear, DCN, inversion (docs/probing.md).

    python benchmarks/probe_rungs.py vgg --photos FOLDER --held-out FOLDER
    python benchmarks/probe_rungs.py squeezenet --weights FILE --photos FOLDER --held-out FOLDER

`vgg` is a random VGG16 of width 1/4 (leaky ReLU, fan-in law) without twins; `squeezenet` is
torchvision's SqueezeNet 1.0 with a file's weights, and one random twin. Prints a line per layer and
rung, as it stands in the document, and keeps what is finished under `--out`.
"""

import argparse
from statistics import fmean

from torch import nn

from preimage import build, vgg16
from preimage.data.photos import stack_photos
from preimage.probing import (
    RAW,
    DcnOptions,
    InversionOptions,
    Preprocessing,
    ProbeResult,
    probe,
)
from preimage.probing.given_model import staged
from preimage.probing.models import open_model
from preimage.probing.preprocessing import IMAGENET_MEAN, IMAGENET_STD

SIDE = 128
LAYERS = {
    "vgg": ["conv2_2", "conv3_3", "conv4_3"],
    "squeezenet": ["features.4", "features.7", "features.10"],
}


def network(name: str, weights: str | None) -> tuple[nn.Module, Preprocessing]:
    """The module and what it wants its pixels to be."""
    if name == "vgg":
        return staged(build(vgg16().scale_width(0.25).with_activation(0.2), seed=0)), RAW
    model = open_model("torchvision:squeezenet1_0", weights).model
    return model, Preprocessing(SIDE, IMAGENET_MEAN, IMAGENET_STD)


def show(result: ProbeResult) -> None:
    """One line per layer and rung; the linear rung on all held-out photos."""
    print(result)
    for layer in result.layers:
        twin = f"{layer.twin_psnr.mean:.2f}" if layer.twin_psnr else ""
        bicubic = fmean(layer.floors["bicubic"])
        print(f"{layer.name}: bicubic {bicubic:.2f}, linear {layer.psnr.mean:.2f}, twin {twin}")
    for row in result.rung_rows():
        print({key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()})


def main() -> None:
    """Parse, probe, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=list(LAYERS))
    parser.add_argument("--weights")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--held-out", required=True)
    parser.add_argument("--layers", nargs="*")
    parser.add_argument("--rungs", nargs="*", default=["linear", "dcn", "inversion"])
    parser.add_argument("--training", type=int, default=800)
    parser.add_argument("--scored", type=int, default=48)
    parser.add_argument("--inverted", type=int, default=16)
    parser.add_argument("--steps", type=int, default=DcnOptions().steps)
    parser.add_argument("--evaluations", type=int, default=InversionOptions().steps)
    parser.add_argument("--total-variation", type=float)
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--out")
    options = parser.parse_args()
    model, preprocessing = network(options.network, options.weights)
    show(
        probe(
            model,
            stack_photos(options.photos, SIDE)[: options.training],
            options.layers or LAYERS[options.network],
            held_out=stack_photos(options.held_out, SIDE)[: options.scored],
            preprocessing=preprocessing,
            twins=int(options.network == "squeezenet"),
            rungs=options.rungs,
            dcn=DcnOptions(steps=options.steps),
            inversion=InversionOptions(
                photos=options.inverted,
                steps=options.evaluations,
                total_variation=options.total_variation,
            ),
            window=options.window,
            batch_size=16,
            out=options.out,
        )
    )


if __name__ == "__main__":
    main()
