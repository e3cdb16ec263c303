"""Networks as torchvision builds them, random, and the files that it would keep of them."""

import torch
from torch import Tensor, nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torchvision_layers(architecture: str, width: float = 1.0) -> nn.Sequential:
    """The layers as torchvision builds them, floor mode and all, written from its source."""
    layers: list[nn.Module] = []
    channels = 3

    def conv(out: int, *sizes: int) -> None:
        nonlocal channels
        out = round(out * width)
        layers.extend([nn.Conv2d(channels, out, *sizes), nn.ReLU()])  # type: ignore[arg-type]
        channels = out

    if architecture == "vgg16":
        for out, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
            for _ in range(count):
                conv(out, 3, 1, 1)
            layers.append(nn.MaxPool2d(2, 2))
    else:
        conv(64, 11, 4, 2)
        layers.append(nn.MaxPool2d(3, 2))
        conv(192, 5, 1, 2)
        layers.append(nn.MaxPool2d(3, 2))
        for out in (384, 256, 256):
            conv(out, 3, 1, 1)
        layers.append(nn.MaxPool2d(3, 2))
    torch.manual_seed(0)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.normal_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers)


def state(layers: nn.Sequential) -> dict[str, Tensor]:
    """A file's content: the convolutions, and a classifier that nobody needs."""
    features = {f"features.{name}": value for name, value in layers.state_dict().items()}
    return {**features, "classifier.6.weight": torch.zeros(10, 4)}


def torchvision_features(layers: nn.Sequential, pixels: Tensor, end: int) -> Tensor:
    x = pixels / 255
    x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return layers[:end](x)
