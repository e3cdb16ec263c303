"""The demo's page: one self-contained HTML file, pictures inside, nothing fetched."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from preimage.data.html import data_uri, picture_uri, template
from preimage.data.photo import Photo, to_image
from preimage.paper.draw import caption
from preimage.paper.finding import Finding
from preimage.paper.overview import Grid, Overview
from preimage.scores.metrics import GREY


def overview_page(
    overview: Overview,
    findings: Sequence[Finding],
    chart: bytes,
    environment: dict[str, Any],
    command: str,
) -> str:
    """The demo's page: pictures by layer and by width for every photo, chart, tables, method.

    Args:
        findings: of the overview, from `overview_claims.findings`.
        chart: the PNG of `overview_draw.overview_chart`.
        environment: versions and threads, from `records.environment`.
        command: the command line that makes the page again.
    """
    page = template("preimage.paper", "overview.html")
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
        findings=findings,
        best=_best(overview),
        networks=overview.counts,
        config=overview.config,
        chart=data_uri(chart, "png"),
        contract=GREY,
        environment=environment,
        command=command,
    )


def _best(overview: Overview) -> dict[str, Any]:
    grid = overview.by_width
    row, column = "channel mean, nearest", grid.columns[-1]
    return {
        "width": column,
        "networks": grid.num_networks(row, column),
        "ssim": grid.interval(row, column, "ssim").spread(),
        "pearson": grid.interval(row, column, "pearson").spread(),
        "limit_ssim": f"{overview.limits[row, 'ssim'].mean:.3f}",
        "limit_pearson": f"{overview.limits[row, 'pearson'].mean:.3f}",
    }


def _grid(grid: Grid, index: int) -> dict[str, Any]:
    """Pictures of one photo by the first network of each cell."""
    rows = []
    for row in grid.rows:
        results = [grid.pictures[row, column][index] for column in grid.columns]
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
                    "ssim": grid.interval(row, column, "ssim").spread(),
                    "pearson": grid.interval(row, column, "pearson").spread(),
                    "absolute": grid.interval(row, column, "pearson", absolute=True).spread(),
                }
                for column in grid.columns
            ],
        }
        for row in grid.rows
    ]
    return {"columns": [column.capitalize() for column in grid.columns], "rows": rows}


def _photo_uri(photo: Photo) -> str:
    array = photo.pixels.round().byte().permute(1, 2, 0).numpy()
    return picture_uri(Image.fromarray(array))


def _picture_uri(grey: Float[Tensor, "H W"]) -> str:
    return picture_uri(to_image(grey[None]))
