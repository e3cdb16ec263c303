"""What random networks of three depths show of your photos: python examples/own_photos.py PHOTOS"""

import sys

from preimage import plot, reconstruct


def main(photos: str | None) -> None:
    rows = {
        layer: reconstruct(photos, layer=layer, size=96, width=32, head="mean", unpool="nearest")
        for layer in ("conv1", "conv2", "conv3")
    }
    for layer, results in rows.items():
        for result in results:
            print(f"{layer} {result.photo.name}: SSIM {result.ssim:.2f}, r {result.pearson:.2f}")
    originals = [result.photo for result in rows["conv1"]]
    figure = plot.side_by_side(originals, *rows.values(), labels=["photo", *rows])
    figure.savefig("own_photos.png", dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:] or [None])
