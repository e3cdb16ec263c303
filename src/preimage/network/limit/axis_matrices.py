"""Pooling, unpooling and cropping as linear maps, one axis at a time.

Each is a Kronecker product of two small matrices, one per axis. If features are mixed by x' = B x
along an axis, then their covariances C become B C Bᵀ, and the diagonals D_d(p) = C[p, p + d] become

    D'_d(q) = Σ_e Σ_r B[q, r] B[q + d, r + e] D_e(r)                    (docs/theory.md, section 2)

so an offset d of the output needs those offsets e of the input for which the product of the two
weights is not zero. `covariance_taps` lists them for any operation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from preimage.network.operations import Conv, Crop, Normalise, Operation, Pool, Unpool

Index = slice | Tensor


@dataclass(frozen=True)
class Tap:
    """`out[q] += weight · x[r]` along one axis: positions in the output, in the input, weight."""

    q: Index
    r: Index
    weight: float | Tensor


def axis_matrix(op: Operation, length: int, out_length: int) -> np.ndarray:
    """B of an average pooling, an unpooling or a crop along one axis: (out_length, length).

    Raises:
        TypeError: the operation is not a linear map of the pixels.
    """
    matrix = np.zeros((out_length, length))
    out = np.arange(out_length)
    match op:
        case Pool():
            for q in range(out_length):
                start, end = q * op.stride, min(q * op.stride + op.kernel_size, length)
                matrix[q, start:end] = 1 / (end - start)
        case Crop():
            matrix[out, out] = 1
        case Unpool(kind="zeros"):
            inside = np.arange(length)
            matrix[op.stride * inside, inside] = 1
        case Unpool(kind="nearest"):
            matrix[out, np.minimum(out // op.stride, length - 1)] = 1
        case Unpool():
            # Output pixel j lies at (j + 1/2)/stride − 1/2; borders repeat the last node.
            inside = np.minimum(out, op.stride * length - 1)
            position = np.clip((inside + 0.5) / op.stride - 0.5, 0, length - 1)
            lower = np.floor(position).astype(int)
            np.add.at(matrix, (out, lower), 1 - (position - lower))
            np.add.at(matrix, (out, np.minimum(lower + 1, length - 1)), position - lower)
        case _:
            raise TypeError(f"{op.name} is not a linear map of pixels.")
    return matrix


def window_matrix(op: Operation, length: int, out_length: int) -> np.ndarray:
    """The 0/1 window matrix along one axis, A in docs/theory.md: which pixel is in which window.

    Multiplying by A sums squared norms over windows: for convolutions, l2 pools, zeros and nearest
    unpooling, and crops.

    Raises:
        ValueError: average or max pooling, or bilinear unpooling, whose outputs do not follow from
            norms alone because they mix features; or a normalisation, which shifts them.
    """
    match op:
        case Conv():
            matrix = np.zeros((out_length, length))
            for q in range(out_length):
                start = q * op.stride - op.padding[0]
                matrix[q, max(start, 0) : max(start + op.kernel_size, 0)] = 1
            return matrix
        case Pool(kind="l2"):
            return (axis_matrix(op, length, out_length) > 0).astype(float)
        case Pool() | Unpool(kind="bilinear"):
            raise ValueError(
                f"{op.name}: the theorem needs l2 pooling and unpooling by zeros or nearest, got "
                f"{op.kind}; use `with_pool('l2')`."
            )
        case Normalise():
            raise ValueError(
                f"{op.name}: the theorem compares with the image that the first convolution sees; "
                "leave the normalisation out, and apply it to the image."
            )
        case _:
            return axis_matrix(op, length, out_length)


def covariance_taps(matrix: np.ndarray, offset: int) -> dict[int, list[Tap]]:
    """For each input offset e, the taps that add D_e to D'_offset; `matrix` maps one axis."""
    weights, indices = _row_entries(matrix)
    q = np.arange(max(-offset, 0), min(len(matrix), len(matrix) - offset))
    taps: dict[int, list[Tap]] = {}
    for j in range(weights.shape[1]):
        for k in range(weights.shape[1]):
            weight = weights[q, j] * weights[q + offset, k]
            shift = indices[q + offset, k] - indices[q, j]
            for e in np.unique(shift[weight != 0]):
                here = (shift == e) & (weight != 0)
                tap = _tap(q[here], indices[q[here], j], weight[here])
                taps.setdefault(int(e), []).append(tap)
    return taps


def window_taps(conv: Conv, length: int, out_length: int) -> list[Tap]:
    """The taps that sum over a convolution's window along one axis; padding adds nothing."""
    taps = []
    for t in range(conv.kernel_size):
        start = t - conv.padding[0]
        q = np.arange(out_length)
        r = conv.stride * q + start
        inside = (r >= 0) & (r < length)
        if inside.any():
            taps.append(_tap(q[inside], r[inside], np.ones(inside.sum())))
    return taps


def apply_taps(out: Tensor, x: Tensor, taps: list[Tap], axis: int) -> None:
    """Adds each tap's part of x to `out`, in place; `axis` is −1 or −2."""
    for tap in taps:
        weight = tap.weight
        if isinstance(weight, Tensor):
            weight = weight.to(x)
            weight = weight if axis == -1 else weight[:, None]
        if isinstance(tap.q, slice):
            target, source = _at(out, tap.q, axis), _at(x, tap.r, axis)
            if isinstance(weight, Tensor):
                target.addcmul_(source, weight)
            else:
                target.add_(source, alpha=weight)
        else:
            source = x.index_select(axis, _positions(tap.r, x))
            out.index_add_(axis, _positions(tap.q, x), source * weight)


def shifted(x: Tensor, rows: int, columns: int) -> Tensor:
    """y(p) = x(p + (rows, columns)), or 0 where that lies outside."""
    out = torch.zeros_like(x)
    height, width = x.shape[-2:]
    (to_y, from_y), (to_x, from_x) = _overlap(rows, height), _overlap(columns, width)
    out[..., to_y, to_x] = x[..., from_y, from_x]
    return out


def _overlap(offset: int, length: int) -> tuple[slice, slice]:
    count = max(length - abs(offset), 0)
    low, high = max(-offset, 0), max(offset, 0)
    return slice(low, low + count), slice(high, high + count)


def _at(x: Tensor, index: Index, axis: int) -> Tensor:
    return x[..., index] if axis == -1 else x[..., index, :]


def _positions(index: Index, x: Tensor) -> Tensor:
    if isinstance(index, slice):
        return torch.arange(index.start, index.stop, index.step or 1, device=x.device)
    return index.to(x.device)


def _row_entries(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nonzero entries of each row and their columns, padded with zeros."""
    count = max(int((matrix != 0).sum(1).max(initial=0)), 1)
    # A stable sort keeps the columns in order.
    indices = np.argsort(matrix == 0, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(matrix, indices, 1), indices


def _tap(q: np.ndarray, r: np.ndarray, weight: np.ndarray) -> Tap:
    slices = _as_slice(q), _as_slice(r)
    same = bool((weight == weight[0]).all())
    value = float(weight[0]) if same else torch.from_numpy(weight)
    if slices[0] is not None and slices[1] is not None:
        return Tap(slices[0], slices[1], value)
    return Tap(torch.from_numpy(q), torch.from_numpy(r), value)


def _as_slice(index: np.ndarray) -> slice | None:
    """The slice with these positions, if they form an increasing arithmetic progression."""
    if len(index) == 1:
        return slice(int(index[0]), int(index[0]) + 1, 1)
    steps = np.diff(index)
    if steps[0] < 1 or (steps != steps[0]).any():
        return None
    return slice(int(index[0]), int(index[-1]) + 1, int(steps[0]))
