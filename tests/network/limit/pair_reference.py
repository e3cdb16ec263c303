"""The kernel of two positions by its definition: one double recursion, pixel by pixel.

Nothing here knows of tiles, offsets or sums over windows: E act(g) act(g') of two Gaussians is
written out for each pair of pixels, and remembered.
"""

import math
from functools import cache

from preimage.network.operations import Conv
from preimage.network.trace import input_sizes, output_size


def kernel(description, window=1):
    """K(a, p, b, q) of photos a, b (C, H, W) and positions p, q (row, column)."""
    ops = description.operations

    def of(a, b, sizes):
        photos = {"a": a, "b": b}

        @cache
        def after(i, one, p, other, q):
            """Mean product of the features behind the first i operations."""
            size = sizes[i]
            if not all(0 <= at < n for at, n in zip((*p, *q), (*size, *size), strict=True)):
                return 0.0
            if i == 0:
                x, y = photos[one][:, p[0], p[1]], photos[other][:, q[0], q[1]]
                return float(sum(x * y)) / len(x)
            op, before = ops[i - 1], sizes[i - 1]
            if isinstance(op, Conv):
                return activated(i, op, one, p, other, q)
            ps, qs = (slots(op, at, before) for at in (p, q))
            return sum(after(i - 1, one, r, other, s) for r in ps for s in qs) / len(ps) / len(qs)

        @cache
        def patches(i, conv, one, p, other, q):
            total = 0.0
            for row in range(conv.kernel_size):
                for column in range(conv.kernel_size):
                    shift = row - conv.padding[0], column - conv.padding[0]
                    r, s = (
                        tuple(conv.stride * x + d for x, d in zip(at, shift, strict=True))
                        for at in (p, q)
                    )
                    total += after(i - 1, one, r, other, s)
            return total / conv.kernel_size**2

        def activated(i, conv, one, p, other, q):
            covariance = patches(i, conv, one, p, other, q)
            z = math.sqrt(patches(i, conv, one, p, one, p) * patches(i, conv, other, q, other, q))
            if z == 0:
                return 0.0
            if (one, p) == (other, q):
                return z
            cosine, a = min(max(covariance / z, -1), 1), conv.slope
            mixed = (1 + a**2) * h(cosine) - 2 * a * h(-cosine)
            return z * mixed / (1 + a**2)

        return after

    def k(a, p, b, q):
        known = input_sizes(description, *a.shape[1:])
        sizes = [known[op.name] for op in ops]
        sizes.append(output_size(ops[-1], sizes[-1], known))
        after, reach = of(a, b, sizes), window // 2
        total = 0.0
        for row in range(-reach, reach + 1):
            for column in range(-reach, reach + 1):
                r, s = ((at[0] + row, at[1] + column) for at in (p, q))
                total += after(len(ops), "a", r, "b", s)
        return total / window**2

    return k


def slots(pool, at, size):
    """The pixels of a pool's window that lie inside."""
    rows, columns = (
        [i for i in range(pool.stride * x, pool.stride * x + pool.kernel_size) if i < n]
        for x, n in zip(at, size, strict=True)
    )
    return [(row, column) for row in rows for column in columns]


def h(c):
    return (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi
