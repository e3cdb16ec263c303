import pytest
import torch
import torch.nn.functional as F

from preimage.network.limit.axis_matrices import axis_matrix, shifted
from preimage.network.limit.filters import relu_correlation
from preimage.network.limit.offsets import Offsets, Stage
from preimage.network.limit.stream import image_rows, mix, rectified, window_means
from preimage.network.operations import Conv, Pool, Unpool, UnpoolKind


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_rectified_covariances_are_the_formula(slope: float) -> None:
    """z z_d h(p/(z z_d)), neighbour by neighbour, with a dark pixel and neighbours outside."""
    x = torch.rand(3, 4, 5, dtype=torch.float64)
    x[:, 2, 1] = 0
    z, columns = x.norm(dim=0), (-2, 0, 1)
    for dy in (0, 1):
        p = torch.stack([(x * shifted(x, dy, dx)).sum(0) for dx in columns])
        found = rectified(p[:, None].clone(), z[None], dy, columns, slope)[:, 0]
        for dx, maps, covariance in zip(columns, found, p, strict=True):
            zz = z * shifted(z, dy, dx)
            c = torch.where(zz > 0, covariance / zz.clamp(min=1e-300), 0.0)
            # acos loses half the digits near 1, where a pixel meets itself.
            torch.testing.assert_close(maps, zz * relu_correlation(c, slope), atol=1e-7, rtol=0)


@pytest.mark.parametrize("conv", [Conv("c", 1), Conv("c", 1, 4, stride=2, padding=(1, 3))])
def test_window_means_are_a_convolution_with_a_constant(conv: Conv) -> None:
    x = torch.rand(2, 6, 7, dtype=torch.float64)
    before, after = conv.padding
    kernel = torch.full((1, 1, conv.kernel_size, conv.kernel_size), conv.kernel_size**-2.0)
    padded = F.pad(x[:, None], (before, after, before, after))
    expected = F.conv2d(padded, kernel.double(), stride=conv.stride)[:, 0]
    found = window_means(x, conv, (expected.shape[1], expected.shape[2]))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", ["zeros", "nearest", "bilinear", "avg"])
def test_mixed_rows_are_the_covariances_of_mixed_pixels(kind: str) -> None:
    """D'_d of x' = B x, computed from D_e of x, against inner products of x' itself."""
    height, width = 4, 6
    op: Pool | Unpool = Pool("p", "avg") if kind == "avg" else Unpool("u", _kind(kind), 2)
    out_size = (2, 3) if kind == "avg" else (8, 12)
    every = Offsets(tuple(range(height)), tuple(range(1 - width, width)))
    given = Offsets((0, 1), (-1, 0, 1))
    stage = Stage(op, (height, width), out_size, every, given)
    x = torch.rand(1, 3, height, width, dtype=torch.float64)
    down = torch.from_numpy(axis_matrix(op, height, out_size[0]))
    across = torch.from_numpy(axis_matrix(op, width, out_size[1]))
    mixed = down @ x @ across.T
    found = list(mix(image_rows(x, every), stage))
    for (dy, row), (expected_dy, expected) in zip(found, image_rows(mixed, given), strict=True):
        assert dy == expected_dy
        torch.testing.assert_close(row, expected)


def _kind(name: str) -> UnpoolKind:
    kinds: dict[str, UnpoolKind] = {k: k for k in ("zeros", "nearest", "bilinear")}
    return kinds[name]
