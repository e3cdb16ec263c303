"""The backward pass of the limit: what is random, whether a limit exists, which offsets it needs.

From the output back to the image: each operation says which offsets between pixels its input must
bring, so that the forward pass (`stream`) computes those and no others.
"""

from dataclasses import dataclass
from itertools import pairwise

from preimage.network.description import Description
from preimage.network.limit.axis_matrices import axis_matrix, covariance_taps
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Operation, Pool, Unpool
from preimage.network.trace import Size, input_sizes, output_size


@dataclass(frozen=True)
class Offsets:
    """Pixel offsets (dy, dx), the product of two sets. Since C[p, p + d] is symmetric in its two
    pixels, dy ≥ 0 suffices; `columns` is symmetric about 0. Both are sorted and contain 0.
    """

    rows: tuple[int, ...] = (0,)
    columns: tuple[int, ...] = (0,)

    @property
    def is_diagonal(self) -> bool:
        """Whether only squared norms are needed, and no inner products of different pixels."""
        return self.rows == (0,) and self.columns == (0,)

    def __len__(self) -> int:
        """The number of offsets of both signs."""
        return (2 * len(self.rows) - 1) * len(self.columns)


@dataclass(frozen=True)
class Stage:
    """An operation with its input and output sizes, and the offsets needed on both sides."""

    op: Operation
    size: Size
    out_size: Size
    needed: Offsets
    given: Offsets


@dataclass(frozen=True)
class Recursion:
    """The limit's recursion at one image size, cut at the first and last convolution and the mean.

    `before` acts on the image itself, `after` on the output (the channel mean commutes with linear
    operations); `hidden` and the convolution `last` are random.
    """

    description: Description
    before: tuple[Operation, ...]
    hidden: tuple[Stage, ...]
    last: Stage
    after: tuple[Operation, ...]
    sizes: dict[str, Size]

    @property
    def convs(self) -> tuple[Conv, ...]:
        """The random convolutions, the last one included."""
        return tuple(s.op for s in (*self.hidden, self.last) if isinstance(s.op, Conv))

    @property
    def seen_size(self) -> Size:
        """The size that later crops leave of the last convolution's output, from the top left."""
        height, width = self.last.out_size
        for op in self.after:
            if isinstance(op, Crop):
                size = self.sizes[op.like]
                height, width = min(height, size[0]), min(width, size[1])
        return height, width

    def in_channels(self, conv: Conv) -> int:
        """The number of input channels of a convolution."""
        return self.description.channels[self.description.operations.index(conv)]


def backward_pass(description: Description, height: int, width: int) -> Recursion:
    """The recursion of a description for an image of this size, stage by stage from the end.

    Raises:
        ValueError: the output has no limit, or none that can be computed, with the reason.
    """
    before, hidden, last, after = split(description)
    sizes = input_sizes(description, height, width)
    given = Offsets()
    stages = []
    for op in reversed((*hidden, last)):
        size = sizes[op.name]
        out_size = output_size(op, size, sizes)
        needed = _needed(op, size, out_size, given)
        stages.append(Stage(op, size, out_size, needed, given))
        given = needed
    return Recursion(description, before, tuple(stages[:0:-1]), stages[0], after, sizes)


def split(
    description: Description,
) -> tuple[tuple[Operation, ...], tuple[Operation, ...], Conv, tuple[Operation, ...]]:
    """The operations before the first convolution, the hidden ones, the last convolution, the rest.

    Raises:
        ValueError: the description has no limit, or none that can be computed, with the reason.
    """
    ops = description.operations
    means = [i for i, op in enumerate(ops) if isinstance(op, ChannelMean)]
    convs = [i for i, op in enumerate(ops) if isinstance(op, Conv)]
    if not means or (convs and convs[-1] > means[0]):
        raise ValueError(
            f"{description.name} has no limit: it ends in a random convolution, so its output "
            "tends to a Gaussian random field and not to an image; put the mean over channels in "
            "its place with `with_mean_head()`."
        )
    if not convs:
        raise ValueError(f"{description.name} has no convolution: there is nothing random in it.")
    first, end = convs[0], convs[-1]
    if normed := [conv.name for conv in description.convs if conv.batch_norm]:
        raise ValueError(
            f"{normed[0]}: batch normalisation depends on the batch and has no limit here; leave "
            "it out with `with_batch_norm(False)`."
        )
    last, hidden = ops[end], ops[first:end]
    assert isinstance(last, Conv)
    for op in ops[first:]:
        if isinstance(op, Normalise):
            raise ValueError(
                f"{op.name} stands behind the first convolution, where a shift of the features has "
                "no closed form; a normalisation may only be applied to the image."
            )
    _check_pools(hidden, last, ops[end + 1 : means[0]])
    return ops[:first], hidden, last, ops[end + 1 :]


def _check_pools(
    hidden: tuple[Operation, ...], last: Conv, before_mean: tuple[Operation, ...]
) -> None:
    if last.slope == 1:
        raise ValueError(
            f"{last.name} has no activation (slope 1): the mean over its channels tends to 0; "
            "choose another slope with `with_activation`."
        )
    for op in before_mean:
        if isinstance(op, Pool) and op.kind != "avg":
            raise ValueError(
                f"{op.name}: {op.kind} pooling between the last convolution and the channel mean "
                "has no closed form, since it does not commute with the mean; use average pooling."
            )
    for op, following in pairwise(hidden):
        if isinstance(following, Pool) and following.kind == "max" and not isinstance(op, Conv):
            raise ValueError(
                f"{following.name}: max pooling is sampled from the Gaussian features of the "
                f"convolution before it, but {op.name} stands before it."
            )


def _needed(op: Operation, size: Size, out_size: Size, given: Offsets) -> Offsets:
    match op:
        case Conv():  # stride 1: equal slots of two windows are as far apart as the windows
            return Offsets(
                tuple(op.stride * d for d in given.rows),
                tuple(op.stride * d for d in given.columns),
            )
        case Pool(kind="l2"):
            if not given.is_diagonal:
                raise ValueError(
                    f"{op.name}: l2 pooling before average pooling (or bilinear unpooling) has "
                    "no closed form, since what follows mixes roots of sums; use one kind of "
                    "pooling throughout, or zeros or nearest unpooling."
                )
            return given
        case Pool() | Unpool() | Crop():
            rows, columns = (
                _sources(op, n, m, d)
                for n, m, d in zip(size, out_size, (given.rows, given.columns), strict=True)
            )
            return Offsets(
                tuple(sorted({abs(d) for d in rows})),
                tuple(sorted(columns | {-d for d in columns})),
            )
        case _:
            raise TypeError(f"{op.name} is not a spatial operation.")


def _sources(op: Operation, length: int, out_length: int, offsets: tuple[int, ...]) -> set[int]:
    matrix = axis_matrix(op, length, out_length)
    return {0}.union(*(covariance_taps(matrix, d) for d in offsets))
