"""What classes show of themselves, from one declaration."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from preimage.notebook.gallery import Gallery
from preimage.notebook.html import cell, render
from preimage.notebook.view import Drawn, Tile

PICTURE = Image.fromarray(np.arange(9 * 7 * 3, dtype=np.uint8).reshape(9, 7, 3))


@dataclass(frozen=True, repr=False)
class Result(Drawn):
    name: str
    values: torch.Tensor

    def _tiles(self) -> Sequence[Tile]:
        return [Tile(PICTURE, self.name)]

    def _rows(self) -> Sequence[dict[str, Any]]:
        return [{"name": self.name, "mean_value": float(self.values.mean())}]


RESULT = Result("<script>alert(1)</script>", torch.arange(12.0).view(3, 4))


def test_a_text_is_one_line_and_prints_no_tensor() -> None:
    assert repr(RESULT) == "Result(name='<script>alert(1)</script>', values=3×4 from 0 to 11)"
    assert repr(Result("a" * 99, torch.zeros(2))).endswith("…', values=[0, 0])")


def test_html_stands_alone_and_escapes_names() -> None:
    html = RESULT._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 4  # the line, the picture's alt and caption, the table
    assert not re.search(r'(src|href)="(?!data:image/png)', html)
    assert ">5.5<" in html
    assert "mean value" in html
    assert 'class="small" width="133" height="171"' in render("", RESULT._tiles() * 2, [])
    assert "and 3 more pictures" in render("", RESULT._tiles() * 27, [])


def test_a_picture_comes_as_png_too() -> None:
    alone, several = RESULT._repr_png_(), Gallery([RESULT] * 7)._repr_png_()
    assert alone is not None
    assert several is not None
    assert np.array_equal(Image.open(io.BytesIO(alone)), PICTURE)
    assert Image.open(io.BytesIO(several)).size == (6 * 7 + 5 * 6, 2 * 9 + 6)


def test_it_draws_on_a_new_figure_or_on_the_axes_given() -> None:
    figure = RESULT.plot()
    assert isinstance(figure, Figure)
    assert figure._repr_png_()[:4] == b"\x89PNG"  # type: ignore[attr-defined]
    ax = Figure().subplots()
    assert RESULT.plot(ax=ax) is ax
    assert ax.get_title() == RESULT.name
    assert len(Gallery([RESULT] * 5).plot().axes) == 8  # three of them empty


def test_a_slice_of_a_gallery_is_one() -> None:
    gallery = Gallery([RESULT] * 5)
    assert isinstance(gallery[1:], Gallery)
    assert gallery[0] is RESULT
    assert repr(gallery) == "5 × Result: <script>alert(1)</script>, <script>alert(1)</script>, " + (
        "<script>alert(1)</script>, …"
    )
    assert repr(Gallery[int]([1, 2])) == "[1, 2]"
    assert list(gallery.to_frame()["mean_value"]) == [5.5] * 5


def test_without_pandas_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r"need pandas; .* pip install 'preimage\[notebook\]'"):
        RESULT.to_frame()


def test_cells_of_a_table() -> None:
    values = [None, True, 1234567, -0.000123456, float("-inf"), "a"]
    assert [cell(v) for v in values] == ["", "yes", "1,234,567", "−0.0001235", "−∞", "a"]


def test_of_many_pictures_only_those_shown_are_made() -> None:
    made: list[int] = []

    def picture() -> Image.Image:
        made.append(0)
        return PICTURE

    html = render("", [Tile(picture, "") for _ in range(1000)], [])
    assert "and 976 more pictures" in html
    assert len(made) == 24
