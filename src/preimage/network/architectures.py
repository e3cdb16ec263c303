"""The two networks of the paper (Section 2.1), and torchvision's AlexNet, up to their last pool.

Dropout, AlexNet's local response normalisation and its grouped convolutions are left out, and
so are the classifiers. `vgg16` has torchvision's names, sizes and order of layers.
"""

from collections.abc import Callable

from preimage.network.description import Description
from preimage.network.operations import Conv, Operation, Pool

#: The five blocks of both of the paper's networks.
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def vgg16() -> Description:
    """VGG16 (Simonyan & Zisserman 2015), 13 convolutions in five blocks, ReLU.

    Its pools are in ceil mode, as Table 1 says: 227 → 114 → 57 → 29 → 15.
    """
    operations: list[Operation] = []
    for block, (channels, depth) in enumerate(
        [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], start=1
    ):
        operations += [Conv(f"conv{block}_{i}", channels) for i in range(1, depth + 1)]
        operations.append(Pool(f"pool{block}"))
    return Description("vgg16", tuple(operations))


def alexnet() -> Description:
    """The paper's AlexNet: 96-256-384-384-256 channels; 227 → 55 → 27 → 13 → 13 → 13."""
    return _alexnet("alexnet", (96, 256, 384, 384, 256), conv1_padding=0, ceil=True)


def torchvision_alexnet() -> Description:
    """torchvision's AlexNet: 64-192-384-256-256 channels, a padded first convolution, floor."""
    return _alexnet("torchvision_alexnet", (64, 192, 384, 256, 256), conv1_padding=2, ceil=False)


def _alexnet(
    name: str, channels: tuple[int, int, int, int, int], conv1_padding: int, ceil: bool
) -> Description:
    def pool(block: int) -> Pool:
        return Pool(f"pool{block}", "max", kernel_size=3, stride=2, ceil=ceil)

    c1, c2, c3, c4, c5 = channels
    return Description(
        name,
        (
            Conv("conv1", c1, kernel_size=11, stride=4, padding=(conv1_padding, conv1_padding)),
            pool(1),
            Conv("conv2", c2, kernel_size=5, padding=(2, 2)),
            pool(2),
            Conv("conv3", c3),
            Conv("conv4", c4),
            Conv("conv5", c5),
            pool(5),
        ),
    )


ARCHITECTURES: dict[str, Callable[[], Description]] = {
    "vgg16": vgg16,
    "alexnet": alexnet,
    "torchvision_alexnet": torchvision_alexnet,
}


def architecture(name: str) -> Description:
    """The architecture of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in ARCHITECTURES:
        raise ValueError(no_such_architecture(name))
    return ARCHITECTURES[name]()


def no_such_architecture(name: object) -> str:
    """What to say to who asks for another one: there are roads for any network."""
    return (
        f"`architecture` must be one of {', '.join(ARCHITECTURES)}, got {name!r}; "
        "preimage.probe(model, photos) takes any torch.nn.Module, and reconstruct(encoder=…) a "
        "Description of your own."
    )
