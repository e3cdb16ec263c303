"""The DCN of a layer of which only channels and positions are known, such as one of any module.

There is no description to mirror (`preimage.network.mirror`), so that the DCN follows from three
numbers: the layer's channels, the pixels between its positions, and where the first one lies.
"""

from preimage.network.description import Description
from preimage.network.operations import Conv, Crop, Normalise, Operation, Unpool, UnpoolKind
from preimage.network.spec import IMAGENET_MEAN, IMAGENET_STD
from preimage.network.trace import Alignment

_MOST_CHANNELS = 512  # as in VGG16


def mirror_of_layer(
    channels: int, alignment: Alignment, unpool: UnpoolKind = "zeros", *, width: int = 32
) -> Description:
    """A DCN from maps of any channels and stride to RGB pixels.

    A convolution at the layer's resolution, laid so that output j lies on block j of stride ×
    stride pixels; then, per prime factor of the stride, an unpooling and a convolution; a linear
    convolution to three channels, which are ImageNet's normalised pixels, and back to [0, 255]. As
    in VGG16 the channels double with the stride: `width` at that of the photo, at most 512, and no
    more than the layer has where it has more than `width`. Besides the maps it takes the photo's
    size, as `sizes={"data": (height, width)}`.

        >>> from preimage.network.trace import input_sizes
        >>> dcn = mirror_of_layer(128, Alignment(8))
        >>> [(conv.name, conv.out_channels) for conv in dcn.convs]
        [('conv8', 128), ('conv4', 128), ('conv2', 64), ('conv1', 32), ('output', 3)]

    Args:
        channels: of the maps.
        alignment: of the maps on the photo.
        unpool: the kind of every unpooling.
        width: channels at the resolution of the photo.
    """
    most = max(channels, width)

    def conv(stride: int, kernel_size: int = 3, padding: tuple[int, int] = (1, 1)) -> Conv:
        out = min(most, width * stride, _MOST_CHANNELS)
        return Conv(f"conv{stride}", out, kernel_size, padding=padding)

    stride, shift = alignment
    half = max(1, abs(shift))
    # Padding by `shift` more in front moves every position by as much.
    operations: list[Operation] = [conv(stride, 2 * half + 1, (half + shift, half))]
    for factor in _prime_factors(stride):
        stride //= factor
        name = f"unpool{stride}"
        # At least the photo in the end; before, factor × the size that comes in.
        like = "data" if stride == 1 else name
        operations += [Unpool(name, unpool, factor, like), conv(stride)]
    operations += [
        Conv("output", 3, slope=1.0, output=True),
        Normalise("normalise", IMAGENET_MEAN, IMAGENET_STD).inverse("denormalise"),
        Crop(),
    ]
    name = f"{unpool} mirror of {channels} channels, stride {alignment.stride}"
    return Description(name, tuple(operations), channels)


def _prime_factors(number: int) -> list[int]:
    """Ascending, with repetition; none of 1."""
    factors, divisor = [], 2
    while number > 1:
        if number % divisor:
            divisor += 1
        else:
            number //= divisor
            factors.append(divisor)
    return factors
