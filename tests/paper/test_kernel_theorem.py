"""Theorem 5.4: one set of numbers, each with its name."""

import csv
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from preimage.paper import kernel_theorem
from preimage.paper.kernel_theorem import KernelCurve, draw_grids, draw_kernels, grids, kernel_curve
from preimage.paper.options import FigureOptions


@pytest.fixture(scope="module")
def photo() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return F.avg_pool2d(torch.rand(1, 3, 32, 30, generator=generator), 3, 1)


def test_bounds_loosen_with_the_kernel(photo: Tensor) -> None:
    curve = kernel_curve(photo, (1, 3, 5))
    assert curve.cosine[0] == pytest.approx(1)
    assert curve.printed_bound == sorted(curve.printed_bound, reverse=True)
    columns = (curve.cosine, curve.corrected_bound, curve.printed_bound)
    for cosine, corrected, printed in zip(*columns, strict=True):
        assert printed <= corrected + 1e-12
        assert corrected <= cosine + 1e-12


def test_the_printed_bound_is_the_papers_formula(photo: Tensor) -> None:
    """1 − Σ ε_t x_t / M with ε_t = x_t less its 3 × 3 window's mean, padded zeros counted."""
    x = photo[0].double().square().sum(0).sqrt()
    mean = F.avg_pool2d(x[None, None], 3, 1, padding=1, count_include_pad=True)[0, 0]
    expected = 1 - float(((x - mean) * x).sum() / x.square().sum())
    assert kernel_curve(photo, (3,)).printed_bound[0] == pytest.approx(expected, rel=1e-6)


def test_sentences_and_table_print_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_theorem, "SIZE", 28)
    bound, fall = kernel_theorem.run(FigureOptions(figure="theory", out=str(tmp_path)))
    assert (bound.verdict, fall.verdict) == ("holds", "holds")
    with (tmp_path / "theory_kernel_size.csv").open(newline="") as file:
        rows = {row["kernel_size"]: row for row in csv.DictReader(file)}
    for size in ("3", "31"):
        for name in ("cosine", "corrected_bound", "printed_bound"):
            value = float(rows[size][name])
            assert bound.numbers[f"{name.removesuffix('_bound')}_{size}"] == value
            assert f"{value:.3f}" in bound.ours
    assert f"{float(rows['3']['printed_bound']):.3f} by the paper's bound" in bound.ours


def curve(cosine: list[float], corrected: list[float], printed: list[float]) -> KernelCurve:
    return KernelCurve((1, 3, 5), cosine, corrected, printed)


def test_the_bound_and_the_fall_are_two_statements() -> None:
    below, above = [0.9, 0.8, 0.7], [0.9, 0.99, 0.7]
    rising = curve([1.0, 0.9, 0.95], below, below)
    assert kernel_theorem._bound(rising, [], "t.csv").verdict == "holds"
    assert kernel_theorem._fall(rising, [], "t.csv").verdict == "fails"
    for broken in (curve([1.0, 0.9, 0.8], above, below), curve([1.0, 0.9, 0.8], below, above)):
        assert kernel_theorem._bound(broken, [], "t.csv").verdict == "fails"
        assert kernel_theorem._fall(broken, [], "t.csv").verdict == "holds"


def test_zero_insertion_prints_a_grid(photo: Tensor) -> None:
    """On a flat image windows hold 1, 2, 2 and 4 sites: brightness 1 : √2 : √2 : 2."""
    printed = grids(photo)
    cell = sorted(printed.flat["zeros"][:2, :2].flatten().tolist())
    assert cell == pytest.approx([1, math.sqrt(2), math.sqrt(2), 2])
    assert printed.flat["nearest"].flatten().tolist() == pytest.approx([1] * 64)
    assert printed.cosine["nearest"] > printed.cosine["zeros"]
    figure = draw_grids(printed)
    figure.draw_without_rendering()
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[2:] == [f"{u}: cos Φ = {printed.cosine[u]:.3f}" for u in ("zeros", "nearest")]


def test_the_chart_draws_the_curves(photo: Tensor) -> None:
    found = kernel_curve(photo, (1, 3, 5))
    (axis,) = draw_kernels(found).axes
    drawn = [list(line.get_ydata()) for line in axis.get_lines()]
    assert drawn == [found.cosine, found.corrected_bound, found.printed_bound]
    assert axis.get_xlabel() == "kernel size (pixels)"
