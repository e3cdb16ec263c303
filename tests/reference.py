"""Naive versions, written from the paper's text alone: loops over windows, zeros inserted."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Pool, Unpool


def run(description: Description, weights: dict[str, np.ndarray], image: np.ndarray) -> np.ndarray:
    """The output for one image (C, H, W), one operation after the other, in float64."""
    x = image.astype(np.float64)
    taken = {"data": x.shape[1:]}
    for op in description.operations:
        taken[op.name] = x.shape[1:]
        match op:
            case Conv():
                x = conv(x, weights[op.name], op)
            case Pool():
                x = pool(x, op)
            case Unpool():
                x = unpool(x, op, taken[op.like])
            case Crop():
                height, width = taken[op.like]
                x = x[:, :height, :width]
            case ChannelMean():
                x = x.mean(0, keepdims=True)
            case Normalise():
                x = np.stack([(c - m) / s for c, m, s in zip(x, op.mean, op.std, strict=True)])
    return x


def conv(x: np.ndarray, weight: np.ndarray, op: Conv) -> np.ndarray:
    x = np.pad(x, ((0, 0), op.padding, op.padding))
    k, s = op.kernel_size, op.stride
    rows, columns = ((length - k) // s + 1 for length in x.shape[1:])
    out = np.empty((len(weight), rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = x[:, i * s : i * s + k, j * s : j * s + k]
            out[:, i, j] = np.tensordot(weight, patch, 3)
    out = np.maximum(out, 0) + op.slope * np.minimum(out, 0)
    return out / math.sqrt(len(weight)) if op.normalised else out


def pool(x: np.ndarray, op: Pool) -> np.ndarray:
    """Ceil mode: windows from pixel 0 on until the image is covered, the last ones clipped."""
    k, s = op.kernel_size, op.stride

    def starts(length: int) -> list[int]:
        if op.ceil:
            # A window more as long as the last one leaves pixels out, if it begins inside.
            result = [0]
            while result[-1] + k < length and result[-1] + s < length:
                result.append(result[-1] + s)
            return result
        return list(range(0, length - k + 1, s))

    reduce = {
        "max": lambda window: window.max((1, 2)),
        "avg": lambda window: window.mean((1, 2)),
        "l2": lambda window: np.sqrt((window**2).sum((1, 2))),
    }[op.kind]
    return np.stack(
        [
            np.stack([reduce(x[:, i : i + k, j : j + k]) for j in starts(x.shape[2])], -1)
            for i in starts(x.shape[1])
        ],
        1,
    )


def unpool(x: np.ndarray, op: Unpool, like: tuple[int, int]) -> np.ndarray:
    s = op.stride
    height, width = (max(s * n, m) for n, m in zip(x.shape[1:], like, strict=True))
    out = np.zeros((len(x), height, width))
    for i in range(height):
        for j in range(width):
            if op.kind == "zeros":
                if i % s == 0 and j % s == 0 and i // s < x.shape[1] and j // s < x.shape[2]:
                    out[:, i, j] = x[:, i // s, j // s]
            elif op.kind == "nearest":
                out[:, i, j] = x[:, min(i // s, x.shape[1] - 1), min(j // s, x.shape[2] - 1)]
            else:
                for p, u in _nodes(i, s, x.shape[1]):
                    for q, v in _nodes(j, s, x.shape[2]):
                        out[:, i, j] += u * v * x[:, p, q]
    return out


def _nodes(i: int, s: int, n: int) -> list[tuple[int, float]]:
    """The two block centres around fine pixel i, and their weights; the borders repeat."""
    i = min(i, s * n - 1)
    position = min(max((i + 0.5) / s - 0.5, 0), n - 1)
    low = min(int(position), n - 1)
    return [(low, 1 - (position - low)), (min(low + 1, n - 1), position - low)]


def windows(maps: Tensor, window: int) -> Tensor:
    """(positions, k·k·C) straight from the definition."""
    reach = window // 2
    padded = F.pad(maps, (reach,) * 4)
    height, width = maps.shape[2:]
    return torch.stack(
        [
            padded[photo, :, i : i + window, j : j + window].permute(1, 2, 0).flatten()
            for photo in range(len(maps))
            for i in range(height)
            for j in range(width)
        ]
    )
