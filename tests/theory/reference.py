"""The covariance recursion straight from Theorem A.7: explicit windows and d × d matrices.

Nothing here knows of offsets, streams or separable sums. A window is a list of (pixel, weight),
with None for a padded pixel; pixels are numbered row by row.
"""

import math

import numpy as np

from preimage.network.operations import ChannelMean, Conv, Crop, Pool, Unpool
from preimage.network.trace import input_sizes, output_size

Windows = list[list[tuple[int, float] | None]]


def interval(start, length, limit):
    return [i if 0 <= i < limit else None for i in range(start, start + length)]


def windows_of(op, size, out_size) -> Windows:
    """The ordered window of each output pixel."""
    height, width = size
    windows = []
    for y in range(out_size[0]):
        for x in range(out_size[1]):
            rows, columns = axis(op, y, height), axis(op, x, width)
            window = []
            for row in rows:
                for column in columns:
                    if row is None or column is None:
                        window.append(None)
                    else:
                        window.append((row[0] * width + column[0], row[1] * column[1]))
            windows.append(window)
    return windows


def axis(op, q, length):
    """What output position q reads along one axis: (position, weight), None for padding."""
    match op:
        case Conv():
            found = interval(q * op.stride - op.padding[0], op.kernel_size, length)
        case Pool():
            inside = [i for i in interval(q * op.stride, op.kernel_size, length) if i is not None]
            share = 1 / len(inside) if op.kind == "avg" else 1.0
            return [(i, share) for i in inside]
        case Crop():
            found = [q]
        case Unpool(kind="zeros"):
            found = [q // op.stride if q % op.stride == 0 and q < op.stride * length else None]
        case Unpool(kind="nearest"):
            found = [min(q // op.stride, length - 1)]
        case Unpool(kind="bilinear"):
            q = min(q, op.stride * length - 1)
            place = min(max((q + 0.5) / op.stride - 0.5, 0.0), length - 1.0)
            low = min(math.floor(place), length - 1)
            high = min(low + 1, length - 1)
            return [(low, 1 - (place - low)), (high, place - low)]
    return [None if i is None else (i, 1.0) for i in found]


def h(c):
    c = np.clip(c, -1, 1)
    return (np.sqrt(1 - c**2) + c * (math.pi - np.arccos(c))) / math.pi


def padded(windows, d):
    """Pixels and weights as arrays (m, r); pixel d, with weight 0, stands for padding."""
    longest = max(len(w) for w in windows)
    pixels = np.full((len(windows), longest), d)
    weights = np.zeros((len(windows), longest))
    for m, window in enumerate(windows):
        for s, entry in enumerate(window):
            if entry is not None:
                pixels[m, s], weights[m, s] = entry
    return pixels, weights


def patch_products(c, windows):
    """P_jk = Σ_s C[D_j,s, D_k,s]."""
    pixels, weights = padded(windows, len(c))
    big = np.pad(c, ((0, 1), (0, 1)))
    total = 0
    for s in range(pixels.shape[1]):
        w = weights[:, s]
        total = total + np.outer(w, w) * big[np.ix_(pixels[:, s], pixels[:, s])]
    return total


def mixed(c, windows):
    """C'_jk = Σ_{l ∈ D_j, m ∈ D_k} b_jl b_km C_lm."""
    mixing = np.zeros((len(windows), len(c)))
    for m, window in enumerate(windows):
        for entry in window:
            if entry is not None:
                mixing[m, entry[0]] += entry[1]
    return mixing @ c @ mixing.T


def limit(description, image, std):
    """f*, (h, w), for an image (C, H, W) and Gaussian weights of this standard deviation."""
    sizes = input_sizes(description, *image.shape[1:])
    x = image.reshape(len(image), -1)
    c = x.T @ x
    ops = [op for op in description.operations if not isinstance(op, ChannelMean)]
    last = description.convs[-1]
    f = None
    for op in ops:
        out_size = output_size(op, sizes[op.name], sizes)
        windows = windows_of(op, sizes[op.name], out_size)
        if f is not None:  # behind the last convolution: linear, on the mean itself
            f = [sum(e[1] * f[e[0]] for e in w if e is not None) for w in windows]
        elif isinstance(op, Conv):
            p = patch_products(c, windows)
            a, u = op.slope, np.diag(p).copy()
            if op is last:
                f = (1 - a) * std / math.sqrt(2 * math.pi) * np.sqrt(u)
                continue
            z = np.sqrt(np.outer(u, u))
            cos = np.divide(p, z, out=np.zeros_like(p), where=z > 0)
            c = std**2 / 2 * ((1 + a**2) * h(cos) - 2 * a * h(-cos)) * z
            np.fill_diagonal(c, std**2 / 2 * (1 + a**2) * u)
        elif isinstance(op, Pool) and op.kind == "l2":
            c = np.diag([sum(c[e[0], e[0]] for e in w) for w in windows])
        else:
            c = mixed(c, windows)
    return np.array(f).reshape(out_size if ops[-1] is not last else sizes_after(last, sizes))


def sizes_after(op, sizes):
    return output_size(op, sizes[op.name], sizes)
