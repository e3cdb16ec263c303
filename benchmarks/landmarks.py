"""What landmarks cost where all pairs are affordable: Conv2 with more and more of them.

    python benchmarks/landmarks.py --train FOLDER --val FOLDER

Prints a Markdown row per number of landmarks; the last is the kernel of all pairs.
"""

import argparse

from preimage import vgg16
from preimage.data.memory import squares_of
from preimage.retention import KernelOptions, Sampling, retention
from preimage.retention.layer_retention import decibels


def main(options: argparse.Namespace) -> None:
    network = vgg16().with_pool("avg").with_activation(0.2)
    training, held_out = (squares_of(path, 64, 64).pixels for path in (options.train, options.val))
    sampling = Sampling(1024, 256, 4)
    for landmarks in (128, 256, 512, 1024, None):
        kernels = KernelOptions(sampling=sampling, landmarks=landmarks, threads=1)
        (layer,) = retention(network, training, held_out, ["conv2"], options=kernels)
        cells = [f"{landmarks or 'all pairs'}", f"{layer.psnr.mean:.2f}", f"{layer.fit.ridge:.0e}"]
        if found := layer.landmarks:
            cells += [f"{100 * found.outside:.1f}", f"{decibels(found.fewer[1]):.2f}"]
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train")
    parser.add_argument("--val")
    main(parser.parse_args())
