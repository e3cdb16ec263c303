"""Convolutions with fewer products: Winograd's F(m×m, r×r), in bands of rows (Lavin & Gray 2016).

An m×m block of the output needs (m + r − 1)² products per channel and filter in place of m²r²:

    Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A

with a block d of the input, of (m + r − 1)² pixels, and an r×r kernel g. Here m + r − 1 is 6, so
that 3×3 kernels have blocks of 4×4 and a quarter of the products; or 8, for 3×3 kernels where that
is faster still, with blocks of 6×6 and a fifth of the products. The sums over channels are 36 or 64
matmuls, and so are the transformations: of kernels with the Kronecker square of G, of blocks with A
and B along one axis after the other.

For CPUs, in float32 and without gradients; the largest error is about 3e-6 of the largest value,
and 1e-5 with blocks of 8.
`layers` has the same two functions in their plain form, for everything else.

Which form to take depends on the shapes and on the processor's instruction set, never on a timing
and never on the number of threads, and the photos of a batch are computed one at a time. So on
one machine the same seed gives the same numbers, whatever else is computed and however busy the
machine is, and a resumed sweep gives the same bits as one that was never stopped. Machines with
different processors agree up to rounding, as they do with torch's own convolutions. That is why
nothing is timed here: a choice that hangs on a clock would make the last digits hang on it too.
"""

from functools import cache, lru_cache
from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from preimage.network import layers
from preimage.network.operations import Conv, Unpool
from preimage.network.trace import Size

Maps = Float[Tensor, "N C H W"]

#: The side of a block, m + r − 1, and the points that it is computed with, besides infinity.
#: (0, ±1, ±2) give Lavin & Gray's matrices and four times the error.
_POINTS = {6: (0.0, 0.75, -0.75, 1.5, -1.5), 8: (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0)}
#: What transforming a number of a block's inputs or outputs takes, in products.
_TRANSFORMING = {6: 128, 8: 150}
_FEWEST_BLOCKS = 128  # in a band
_MOST_BYTES = 2**28  # of transformed kernels at once
#: Where `_saves` was measured, with MKL's matmuls (benchmarks/RESULTS.md). On any other processor
#: the plain form is used; `benchmarks/winograd_speed.py` shows what Winograd's would gain there.
_MEASURED_ON = ("AVX2", "AVX512")


class _Transforms(NamedTuple):
    """Aᵀ and Bᵀ, which act along one axis of a block of n×n, and the Kronecker square of G."""

    output: Tensor  # (m, n)
    kernel: Tensor  # (n², r²)
    input: Tensor  # (n, n)


def matrices(taps: int, points: tuple[float, ...] = _POINTS[6]) -> tuple[Tensor, Tensor, Tensor]:
    """Aᵀ (m, n), G (n, r) and Bᵀ (n, n) in float64, for r = `taps` and m = n − r + 1.

    Filtering is the transpose of multiplying polynomials, for which Toom and Cook evaluate at n
    points (`points`, and infinity), multiply, and interpolate.
    """
    size = len(points) + 1

    def evaluation(coefficients: int) -> Tensor:
        rows = [[point**power for power in range(coefficients)] for point in points]
        return torch.tensor([*rows, [0.0] * (coefficients - 1) + [1.0]], dtype=torch.float64)

    output = evaluation(size - taps + 1).T
    return output, evaluation(taps), torch.linalg.inv(evaluation(size)).T


@lru_cache
def _transforms(taps: int, block: int) -> _Transforms:
    output, kernel, inputs = matrices(taps, _POINTS[block])
    return _Transforms(output.float(), torch.kron(kernel, kernel).float(), inputs.float())


class _Tiling(NamedTuple):
    """How the outputs of a convolution are covered by blocks.

    Input pixel i is pixel i + `before` of a padded map. The convolution with r×r kernels there has
    `phases`² × D filters: output pixel p, shifted by `early` pixels, is filter p mod `phases` at
    position p // `phases`. A plain convolution has one phase.
    """

    block: int
    taps: int
    phases: int
    before: int
    early: int
    size: Size

    @property
    def step(self) -> int:
        """m: how many positions a block covers along an axis."""
        return self.block + 1 - self.taps

    @property
    def blocks(self) -> Size:
        """How many blocks cover the output."""
        height, width = (-(-(self.early + n) // (self.phases * self.step)) for n in self.size)
        return height, width


def convolve(
    x: Maps, weight: Float[Tensor, "D C K K"], bias: Float[Tensor, " D"] | None, conv: Conv
) -> Float[Tensor, "N D h w"]:
    """`layers.convolve` with kernels of 2 to 5 pixels a side and stride 1."""
    return _run(x, weight.permute(3, 2, 1, 0), bias, _tiling(x, conv))


def convolve_is_faster(x: Maps, conv: Conv) -> bool:
    """Whether `convolve` can replace `layers.convolve` and is faster here."""
    return conv.stride == 1 and _is_faster(x, conv, _tiling(x, conv), conv.kernel_size)


def _tiling(x: Tensor, conv: Conv) -> _Tiling:
    before, after = conv.padding
    height, width = (n + before + after - conv.kernel_size + 1 for n in x.shape[-2:])
    tiling = _Tiling(6, conv.kernel_size, 1, before, 0, (height, width))
    if conv.kernel_size != 3:
        return tiling
    both = tiling, tiling._replace(block=8)
    return min(both, key=lambda tiling: _products(x.shape[1], conv, tiling))


def unpool_convolve(
    x: Maps,
    weight: Float[Tensor, "D C K K"],
    bias: Float[Tensor, " D"] | None,
    op: Unpool,
    conv: Conv,
    size: Size,
) -> Float[Tensor, "N D h w"]:
    """`layers.unpool_convolve` if a phase of the transposed convolution has 2 to 5 taps.

    Output pixels whose rows and columns agree modulo the stride see the same number of pixels of x
    through their own part of the kernel: these phases are filters of one unstrided convolution.
    """
    tiling = _unpool_tiling(op, conv, size)
    return _run(x, _phase_kernels(weight, op, tiling.taps), bias, tiling)


def _phase_kernels(
    weight: Float[Tensor, "D C K K"], op: Unpool, taps: int
) -> Float[Tensor, "r r C s s D"]:
    """The part of the transposed convolution's kernel that each phase sees, columns first."""
    stride, kernel = op.stride, layers.transposed_kernel(weight, op)
    short = taps * stride - kernel.shape[-1]
    kernel = F.pad(kernel, (0, short, 0, short))
    parts = kernel.reshape(*kernel.shape[:2], taps, stride, taps, stride)
    return parts.flip(2, 4).permute(4, 2, 1, 3, 5, 0)


def unpool_convolve_is_faster(x: Maps, op: Unpool, conv: Conv, size: Size) -> bool:
    """Whether `unpool_convolve` can replace `layers.unpool_convolve`, and is faster here."""
    return _is_faster(x, conv, _unpool_tiling(op, conv, size), _transposed_size(op, conv))


def _transposed_size(op: Unpool, conv: Conv) -> int:
    return conv.kernel_size + (op.stride - 1 if op.kind == "nearest" else 0)


def _unpool_tiling(op: Unpool, conv: Conv, size: Size) -> _Tiling:
    taps = -(-_transposed_size(op, conv) // op.stride)
    skipped, early = divmod(conv.kernel_size - 1 - conv.padding[0], op.stride)
    height, width = (n + sum(conv.padding) - conv.kernel_size + 1 for n in size)
    return _Tiling(6, taps, op.stride, taps - 1 - skipped, early, (height, width))


def _is_faster(x: Tensor, conv: Conv, tiling: _Tiling, kernel_size: int) -> bool:
    float32 = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    if not (float32 and x.device.type == "cpu" and 2 <= tiling.taps < tiling.block):
        return False
    if not _is_measured_here():
        return False
    positions = prod(tiling.size) if tiling.phases == 1 else prod(x.shape[-2:])
    return _saves(x.shape[1], conv, tiling, kernel_size**2 * positions)


@cache
def _is_measured_here() -> bool:
    has_mkl: bool = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    return has_mkl and torch.backends.cpu.get_cpu_capability() in _MEASURED_ON


def _saves(channels: int, conv: Conv, tiling: _Tiling, plain: int) -> bool:
    """Whether it takes clearly less time than `plain` products per channel and filter."""
    return 1.2 * _products(channels, conv, tiling) < plain * channels * conv.out_channels


def _products(channels: int, conv: Conv, tiling: _Tiling) -> int:
    """What it takes, in products.

    Measured (benchmarks/RESULTS.md): transforming a block's inputs and outputs takes as long as
    128 more products for each of its 36 numbers, or 150 for each of 64; transforming the kernels
    as long as 20 to 130 blocks, depending on the processor and on whether they fit its cache.
    """
    filters, blocks = conv.out_channels * tiling.phases**2, prod(tiling.blocks)
    kernels = max(64, 13 * tiling.taps**2)
    transforming = _TRANSFORMING[tiling.block] * blocks * (channels + filters)
    return tiling.block**2 * ((blocks + kernels) * channels * filters + transforming)


def _run(x: Tensor, weight: Tensor, bias: Tensor | None, tiling: _Tiling) -> Tensor:
    """The convolution of x with weight (r, r, C, [phase, phase,] D), its columns first."""
    channels, filters = weight.shape[2], weight.shape[-1]
    out = x.new_empty(len(x), *tiling.size, filters)
    per_filter = 4 * tiling.block**2 * tiling.phases**2 * channels
    parts = -(-filters * per_filter // _MOST_BYTES)
    for columns in torch.arange(filters).tensor_split(min(parts, filters)):
        part = slice(int(columns[0]), int(columns[-1]) + 1)
        biases = None if bias is None else bias[part]
        _run_part(x, weight[..., part], biases, tiling, out[..., part])
    return out.permute(0, 3, 1, 2)


def _run_part(x: Tensor, weight: Tensor, bias: Tensor | None, tiling: _Tiling, out: Tensor) -> None:
    """Writes the output of some filters, and frees what it took before the next ones' turn."""
    kernels = weight.reshape(tiling.taps**2, -1)
    transformed = torch.mm(_transforms(tiling.taps, tiling.block).kernel, kernels)
    band = _Band(tiling, transformed.view(tiling.block**2, weight.shape[2], -1), bias)
    for photo, result in zip(x.permute(0, 2, 3, 1), out, strict=True):
        for first in range(0, tiling.blocks[0], band.rows):
            band.read(photo, first)
            band.compute()
            band.write(result, first)


class _Band:
    """A few rows of blocks, and the memory in which they are computed."""

    def __init__(
        self, tiling: _Tiling, weight: Float[Tensor, "B C F"], bias: Float[Tensor, " D"] | None
    ) -> None:
        self.tiling, self.weight, self.bias = tiling, weight, bias
        (down, across), step, block = tiling.blocks, tiling.step, tiling.block
        _, channels, filters = weight.shape
        # Enough blocks for matmuls at full speed, few enough for the caches.
        bands = max(1, down * across // (_FEWEST_BLOCKS + channels // 8))
        self.rows = rows = -(-down // bands)
        self.padded = weight.new_zeros(
            rows * step + tiling.taps - 1, across * step + tiling.taps - 1, channels
        )
        width = self.padded.shape[1]
        self.tall = weight.new_empty(rows, block, width * channels)
        self.blocks = weight.new_empty(block, block, rows, across, channels)
        self.inputs = weight.new_empty(block**2, rows * across, channels)
        self.products = weight.new_empty(block**2, rows * across, filters)
        self.wide = weight.new_empty(step, block, rows * across * filters)
        phases = tiling.phases
        each = (phases, phases, filters // phases**2)
        self.outputs = weight.new_empty(step, step, rows, across, *each)
        self.pixels = weight.new_empty(rows, step, phases, across, step, phases, each[-1])

    def read(self, photo: Float[Tensor, "H W C"], first: int) -> None:
        """Reads the input that the blocks from row `first` on see."""
        top, left = first * self.tiling.step - self.tiling.before, self.tiling.before
        start = max(top, 0)
        rows = slice(start, max(start, min(top + len(self.padded), len(photo))))
        width = min(photo.shape[1], self.padded.shape[1] - left)
        self.padded[: rows.start - top].zero_()
        self.padded[rows.start - top : rows.stop - top, left : left + width] = photo[rows, :width]
        self.padded[rows.stop - top :].zero_()

    def compute(self) -> None:
        """Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A."""
        step, block = self.tiling.step, self.tiling.block
        transforms = _transforms(self.tiling.taps, block)
        width, channels = self.padded.shape[1:]
        # Rows of pixels that neighbouring blocks share are read in place, by both.
        lines = self.padded.as_strided(
            self.tall.shape, (step * width * channels, width * channels, 1)
        )
        torch.bmm(transforms.input.expand(self.rows, -1, -1), lines, out=self.tall)
        columns = self.tall.view(self.rows, block, width, channels).unfold(2, block, step)
        self.blocks.copy_(columns.permute(4, 1, 0, 2, 3))
        torch.mm(transforms.input, self.blocks.view(block, -1), out=self.inputs.view(block, -1))
        torch.bmm(self.inputs, self.weight, out=self.products)
        torch.mm(transforms.output, self.products.view(block, -1), out=self.wide.view(step, -1))
        output = transforms.output.expand(step, -1, -1)
        torch.bmm(output, self.wide, out=self.outputs.view(step, step, -1))

    def write(self, result: Float[Tensor, "h w D"], first: int) -> None:
        """Writes the output pixels where they belong."""
        tiling = self.tiling
        self.pixels.copy_(self.outputs.permute(2, 1, 4, 3, 0, 5, 6))
        if self.bias is not None:
            self.pixels += self.bias
        pixels = self.pixels.flatten(3, 5).flatten(0, 2)
        top = first * tiling.step * tiling.phases - tiling.early
        rows = slice(max(top, 0), min(top + len(pixels), len(result)))
        columns = slice(tiling.early, tiling.early + result.shape[1])
        result[rows] = pixels[rows.start - top : rows.stop - top, columns]
