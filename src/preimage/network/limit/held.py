"""Memory that the limit's covariance maps take at the least, before any is computed.

A stream of rows (`stream`) pulls each row through all operations, so that at the first row of the
last one every operation before it holds its own. Max pools wait for all rows of their input.
"""

from math import prod

from preimage.network.description import Description
from preimage.network.limit.axis_matrices import axis_matrix, covariance_taps
from preimage.network.limit.offsets import Stage, backward_pass
from preimage.network.operations import Conv, Pool
from preimage.network.trace import Size, input_sizes, output_size

_ENOUGH = 256  # pixels on each side, from which the offsets are taken; larger images have no fewer
_DOUBLE = 8  # bytes


def covariance_bytes(description: Description, size: Size, bytes_per_value: int = _DOUBLE) -> int:
    """Of the exact or the sampled limit of one image: covariance maps, and the axes' matrices.

    Args:
        size: (height, width) of the image.

    Raises:
        ValueError: there is no limit, or the image is too small.
    """
    sizes = input_sizes(description, *size)
    recursion = backward_pass(description, *(min(length, _ENOUGH) for length in size))
    first = recursion.hidden[0] if recursion.hidden else recursion.last
    largest = held = len(first.needed.columns) * prod(sizes[first.op.name])
    matrices = 0
    for stage in recursion.hidden:
        before, after = sizes[stage.op.name], output_size(stage.op, sizes[stage.op.name], sizes)
        given = len(stage.given.columns)
        match stage.op:
            case Pool(kind="max"):
                waiting = len(stage.needed.rows) * len(stage.needed.columns) * prod(before)
                largest, held = max(largest, held + waiting), waiting
            case Conv() | Pool(kind="l2"):
                pass
            case _:
                held += _rows_at_once(stage) * given * before[0] * after[1]
                matrices += sum(n * m for n, m in zip(before, after, strict=True))
        held += given * prod(after)
    return bytes_per_value * max(largest, held) + _DOUBLE * matrices


def _rows_at_once(stage: Stage) -> int:
    """How many rows an operation that mixes pixels needs for its first one."""
    taps = covariance_taps(axis_matrix(stage.op, stage.size[0], stage.out_size[0]), 0)
    reach = max((abs(e) for e in taps), default=0)
    return sum(dy <= reach for dy in stage.needed.rows)
