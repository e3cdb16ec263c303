"""How much of a photo leaks from features that are sent with noise or in few bits.

    python examples/leakage.py

An attacker who knows the model fits the best linear decoder to each kind of protection.
"""

import torch
from torch import nn

from preimage import embedded_photos, probe
from preimage.probing import RAW


def main() -> None:
    crops = [part for p in embedded_photos(160) for part in p.pixels.split(40, 1)]
    photos = torch.stack([crop for part in crops for crop in part.split(40, 2)])  # (64, 3, 40, 40)
    torch.manual_seed(99)
    model = nn.Sequential(nn.Conv2d(3, 16, 4, stride=4), nn.ReLU())
    curve = probe(model, photos, ["1"], preprocessing=RAW, twins=0, leakage=True)["1"].leakage
    for point in curve.series["coded"]:
        print(f"{point.bits_per_pixel:5.2f} bits per pixel: {point.psnr:.1f} dB")
    figure = curve.plot(series="coded")
    figure.axes[0].set_title("What leaks from a layer of 16 channels")
    figure.savefig("leakage.png", dpi=120)


if __name__ == "__main__":
    main()
