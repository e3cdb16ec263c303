"""What layers of a model of your own retain of photos, and what training changed.

    python examples/own_model.py

The model here is small and learns for a moment to tell bright from dark; put yours in its place.
More photos make the intervals narrow: give `probe` a folder of hundreds.
"""

import torch
from torch import nn

from preimage import embedded_photos, probe
from preimage.probing import RAW


def build() -> nn.Module:
    layers = [nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 10 * 10, 2))


def train(model: nn.Module, photos: torch.Tensor, steps: int = 10) -> None:
    brightness = photos.mean((1, 2, 3))
    labels = (brightness > brightness.median()).long()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(photos / 255), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main() -> None:
    crops = [part for p in embedded_photos(120) for part in p.pixels.split(40, 1)]
    photos = torch.stack([crop for part in crops for crop in part.split(40, 2)])  # (36, 3, 40, 40)
    torch.manual_seed(99)
    model = build()
    train(model, photos)
    result = probe(model, photos, ["0", "2"], preprocessing=RAW, twins=2)
    print(result)
    result.plot().savefig("own_model.png", dpi=120)


if __name__ == "__main__":
    main()
