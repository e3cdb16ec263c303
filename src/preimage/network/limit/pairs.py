"""The backward pass for pairs of positions: a layer's steps, and what each must compute."""

from dataclasses import dataclass

from preimage.network.description import Description
from preimage.network.limit.tiles import Axis, backward_axis
from preimage.network.operations import Conv, Operation, Pool
from preimage.network.trace import Size, input_sizes, output_size


@dataclass(frozen=True)
class Step:
    """An operation of a layer, and its two axes."""

    op: Conv | Pool
    rows: Axis
    columns: Axis


@dataclass(frozen=True)
class PairRecursion:
    """A layer's steps for photos of one size: between tiles, and of a tile's positions alone.

    `before` acts on the photo itself, with the sizes of its outputs; `size` is the layer's map.
    """

    before: tuple[tuple[Operation, Size], ...]
    between: tuple[Step, ...]
    alone: tuple[Step, ...]
    size: Size


#: Least and largest first position of tiles, by rows and by columns.
Corners = tuple[tuple[int, int], tuple[int, int]]


def pair_recursion(
    description: Description,
    size: Size,
    tile: Size,
    window: int = 1,
    corners: Corners | None = None,
) -> PairRecursion:
    """The steps for photos of `size` (rows, columns) and tiles of `tile` positions.

    Args:
        window: side k of a window of features.
        corners: where tiles begin, if it is known: then pairs of pixels of which one lies outside
            the photo for all of them are left out. Tiles as large as the map save most.

    Raises:
        ValueError: no kernel between positions is known, with the reason; or the photos are too
            small.
    """
    before, operations = split_encoder(description)
    sizes = input_sizes(description, *size)
    if window > 1:  # the mean over a window's slots is a convolution without an activation
        reach = window // 2
        operations = (*operations, Conv("window", 1, window, 1, (reach, window - 1 - reach), 1.0))
    lengths = [sizes[operations[0].name]]
    for op in operations:
        lengths.append(output_size(op, lengths[-1], sizes))
    most = (max(lengths[-1]), max(lengths[-1]))
    places = corners or ((-most[0], most[0]), (-most[1], most[1]))
    return PairRecursion(
        tuple((op, output_size(op, sizes[op.name], sizes)) for op in before),
        _steps(operations, lengths, tile, (tile[0] - 1, tile[1] - 1), places),
        _steps(operations, lengths, tile, (0, 0), places),
        lengths[-1],
    )


def split_encoder(
    description: Description,
) -> tuple[tuple[Operation, ...], tuple[Conv | Pool, ...]]:
    """What acts on the photo itself, and what follows from the first convolution on.

    Raises:
        ValueError: no kernel between positions is known, with the reason.
    """
    ops = description.operations
    first = next((i for i, op in enumerate(ops) if isinstance(op, Conv)), None)
    if first is None:
        raise ValueError(f"{description.name} has no convolution: there is nothing random in it.")
    random: list[Conv | Pool] = []
    for op in ops[first:]:
        match op:
            case Conv(batch_norm=True):
                raise ValueError(
                    f"{op.name}: batch normalisation depends on the batch and has no kernel here; "
                    "leave it out with `with_batch_norm(False)`."
                )
            case Pool(kind="max" | "l2"):
                raise ValueError(
                    f"{op.name}: {op.kind} pooling has no closed form between two positions; use "
                    "`with_pool('avg')`."
                )
            case Conv() | Pool():
                random.append(op)
            case _:
                raise ValueError(
                    f"{op.name}: the kernel is that of an encoder, of convolutions and average "
                    "pools, a normalisation at most before them."
                )
    return ops[:first], tuple(random)


def _steps(
    operations: tuple[Conv | Pool, ...],
    lengths: list[Size],
    tile: Size,
    reach: Size,
    corners: Corners,
) -> tuple[Step, ...]:
    axes = [
        backward_axis(operations, tile[i], [size[i] for size in lengths], reach[i], corners[i])
        for i in (0, 1)
    ]
    return tuple(Step(*parts) for parts in zip(operations, *axes, strict=True))
