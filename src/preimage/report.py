"""Results in, one self-contained HTML page out: pictures inside, nothing fetched."""

import base64
import io
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from preimage.figures import caption
from preimage.images import Photo, to_image
from preimage.metrics import GREY
from preimage.studies.overview import Grid, Overview


@dataclass(frozen=True)
class Statement:
    """What the paper says, what we measured, and whether the two agree."""

    paper: str
    ours: str
    agrees: bool


def overview_page(
    overview: Overview, chart: bytes, environment: dict[str, Any], command: str
) -> str:
    """The demo's page: pictures by layer and by width for every photo, chart, tables, method.

    Args:
        chart: the PNG of `figures.overview_chart`.
        environment: versions and threads, from `results.environment`.
        command: the command line that makes the page again.
    """
    template = resources.files("preimage").joinpath("templates/overview.html").read_text("utf-8")
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(template)
    grids = (("layer", overview.by_layer), ("width", overview.by_width))
    return page.render(
        photos=[
            {
                "name": photo.name,
                "picture": _photo_uri(photo),
                "grids": {name: _grid(grid, index) for name, grid in grids},
            }
            for index, photo in enumerate(overview.photos)
        ],
        tables={name: _table(grid) for name, grid in grids},
        statements=statements(overview),
        best=_best(overview),
        networks=_num_networks(overview),
        config=overview.config,
        chart=_uri(chart, "png"),
        contract=GREY,
        environment=environment,
        command=command,
    )


def statements(overview: Overview) -> list[Statement]:
    """The paper's statements on random CNN-DCNs beside what these networks measured."""
    depth, width = overview.by_layer, overview.by_width

    def ssim(grid: Grid, row: str, column: str) -> float:
        return grid.summary(row, column, "ssim").mean

    def pearson(grid: Grid, row: str, column: str) -> float:
        return grid.summary(row, column, "pearson", absolute=True).mean

    def line(grid: Grid, row: str, score: Any) -> str:
        return " → ".join(f"{score(grid, row, column):.2f}" for column in grid.columns)

    nearest, simple = "VGG16, nearest", "VGG16 simplified, nearest"
    mean, conv = "channel mean, nearest", "last convolution, nearest"
    first, last = depth.columns[1], depth.columns[-1]
    narrow, wide = width.columns[0], width.columns[-1]
    return [
        Statement(
            "The deeper the layer, the coarser the picture (Section 4.1).",
            f"|r| from Conv1 to Conv5, nearest unpooling: {line(depth, nearest, pearson)}. "
            "Conv1 has no pool; the fall is from Conv2 on.",
            pearson(depth, nearest, first) > pearson(depth, nearest, last),
        ),
        Statement(
            "The image straight to block Conv k is about as good as the whole network: the layer's "
            "dimension matters much, depth little (Section 4.1).",
            f"|r| of the simplified network: {line(depth, simple, pearson)}, against "
            f"{line(depth, nearest, pearson)}.",
            all(
                abs(pearson(depth, simple, column) - pearson(depth, nearest, column)) < 0.2
                for column in depth.columns
            ),
        ),
        Statement(
            "More channels, better pictures (Section 4.2).",
            f"|r| of the channel mean over widths {', '.join(width.columns)}: "
            f"{line(width, mean, pearson)}.",
            pearson(width, mean, wide) > pearson(width, mean, narrow),
        ),
        Statement(
            "Growth and convergence are far plainer with the channel mean than with a random last "
            "convolution (Section 4.2).",
            f"SSIM at width {wide}: {ssim(width, mean, wide):.2f} (std over networks "
            f"{width.summary(mean, wide, 'ssim').std:.2f}) against {ssim(width, conv, wide):.2f} "
            f"(std {width.summary(conv, wide, 'ssim').std:.2f}).",
            width.summary(mean, wide, "ssim").std < width.summary(conv, wide, "ssim").std,
        ),
    ]


def _best(overview: Overview) -> dict[str, str]:
    grid = overview.by_width
    row, column = "channel mean, nearest", grid.columns[-1]
    return {
        "width": column,
        "ssim": str(grid.summary(row, column, "ssim")),
        "pearson": str(grid.summary(row, column, "pearson")),
    }


def _num_networks(overview: Overview) -> int:
    return len(next(iter(overview.by_layer.cells.values())))


def _grid(grid: Grid, index: int) -> dict[str, Any]:
    """Pictures of one photo by the first network of each cell."""
    rows = []
    for row in grid.rows:
        results = [grid.cells[row, column][0].reconstructions[index] for column in grid.columns]
        cells = [
            {"picture": _picture_uri(result.grey), "caption": caption(result)} for result in results
        ]
        rows.append({"label": row, "cells": cells})
    return {"columns": [column.capitalize() for column in grid.columns], "rows": rows}


def _table(grid: Grid) -> dict[str, Any]:
    """Mean ± std of SSIM, r and |r| over networks."""
    rows = [
        {
            "label": row,
            "cells": [
                {
                    "ssim": grid.summary(row, column, "ssim"),
                    "pearson": grid.summary(row, column, "pearson"),
                    "absolute": grid.summary(row, column, "pearson", absolute=True),
                }
                for column in grid.columns
            ],
        }
        for row in grid.rows
    ]
    return {"columns": [column.capitalize() for column in grid.columns], "rows": rows}


def _photo_uri(photo: Photo) -> str:
    array = photo.pixels.round().byte().permute(1, 2, 0).numpy()
    return _encode(Image.fromarray(array))


def _picture_uri(grey: Float[Tensor, "H W"]) -> str:
    return _encode(to_image(grey[None]))


def _encode(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88)
    return _uri(buffer.getvalue(), "webp")


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
