import numpy as np
import pytest
import torch

from preimage.network import layers
from preimage.network.limit.axis_matrices import (
    apply_taps,
    axis_matrix,
    covariance_taps,
    shifted,
    window_matrix,
    window_taps,
)
from preimage.network.operations import Conv, Crop, Normalise, Operation, Pool, Unpool
from preimage.network.trace import output_length

LENGTH = 7
LINEAR: list[Operation] = [
    Pool("p", "avg"),
    Pool("p", "avg", 3, 2),
    Pool("p", "avg", 3, 1, ceil=False),
    Unpool("u", "zeros", 2),
    Unpool("u", "nearest", 3),
    Unpool("u", "bilinear", 2),
]


@pytest.mark.parametrize("op", LINEAR)
def test_axis_matrices_are_what_the_layers_do(op: Operation) -> None:
    out_length = output_length(op, LENGTH, like=15)
    basis = torch.eye(LENGTH, dtype=torch.float64)[:, None, :, None]  # one photo per column
    if isinstance(op, Pool):  # of three equal columns
        columns = layers.pool(basis.repeat(1, 1, 1, 3), op)[:, 0, :, 0]
    else:
        assert isinstance(op, Unpool)
        columns = layers.unpool(basis, op, (out_length, op.stride))[:, 0, :, 0]
    np.testing.assert_allclose(axis_matrix(op, LENGTH, out_length), columns.T, atol=1e-15)


def test_a_crop_keeps_the_first_pixels() -> None:
    np.testing.assert_array_equal(axis_matrix(Crop(), 5, 3), np.eye(3, 5))


@pytest.mark.parametrize(
    "conv", [Conv("c", 1), Conv("c", 1, 5, padding=(0, 3)), Conv("c", 1, 2, 3, padding=(1, 0))]
)
def test_windows_of_a_convolution(conv: Conv) -> None:
    """The window matrix, and its taps, against a convolution with ones along one axis."""
    out_length = output_length(conv, LENGTH)
    x = torch.linspace(1, 2, LENGTH, dtype=torch.float64)
    padded = torch.nn.functional.pad(x, conv.padding)
    expected = padded.unfold(0, conv.kernel_size, conv.stride).sum(1)
    matrix = torch.from_numpy(window_matrix(conv, LENGTH, out_length))
    torch.testing.assert_close(matrix @ x, expected)
    for axis, like in ((-1, x[None, :]), (-2, x[:, None])):
        out = torch.zeros_like(expected).view(1, -1) if axis == -1 else torch.zeros(out_length, 1)
        out = out.double()
        apply_taps(out, like, window_taps(conv, LENGTH, out_length), axis)
        torch.testing.assert_close(out.flatten(), expected)


@pytest.mark.parametrize("op", LINEAR)
@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_covariance_taps_are_the_diagonals_of_b_c_b_transposed(op: Operation, offset: int) -> None:
    out_length = output_length(op, LENGTH, like=15)
    matrix = axis_matrix(op, LENGTH, out_length)
    root = np.random.default_rng(0).normal(size=(LENGTH, LENGTH))
    c = root @ root.T
    expected = np.zeros(out_length)
    for q, value in enumerate(np.diagonal(matrix @ c @ matrix.T, offset)):
        expected[q + max(-offset, 0)] = value
    out = torch.zeros(1, out_length, dtype=torch.float64)
    for e, taps in covariance_taps(matrix, offset).items():
        diagonal = torch.zeros(1, LENGTH, dtype=torch.float64)  # D_e(r) = C[r, r + e]
        for r in range(LENGTH):
            if 0 <= r + e < LENGTH:
                diagonal[0, r] = c[r, r + e]
        apply_taps(out, diagonal, taps, -1)
    np.testing.assert_allclose(out[0], expected, atol=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, -2), (-3, 1), (9, 0)])
def test_shifts_against_loops(rows: int, columns: int) -> None:
    x = torch.arange(1.0, 21).view(4, 5)
    expected = torch.zeros_like(x)
    for i in range(4):
        for j in range(5):
            if 0 <= i + rows < 4 and 0 <= j + columns < 5:
                expected[i, j] = x[i + rows, j + columns]
    assert torch.equal(shifted(x, rows, columns), expected)


def test_sums_of_squares_need_l2_pooling() -> None:
    np.testing.assert_array_equal(
        window_matrix(Pool("p", "l2"), 3, 2), [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    )
    for op in (Pool("p", "avg"), Pool("p", "max"), Unpool("u", "bilinear")):
        with pytest.raises(ValueError, match=rf"{op.name}: .*l2 pooling.*got {op.kind}"):
            window_matrix(op, 4, 2)
    with pytest.raises(ValueError, match=r"n: .*leave the normalisation out"):
        window_matrix(Normalise("n", (0.0,), (1.0,)), 4, 4)
    with pytest.raises(TypeError, match="n is not a linear map of pixels"):
        axis_matrix(Normalise("n", (0.0,), (1.0,)), 4, 4)
