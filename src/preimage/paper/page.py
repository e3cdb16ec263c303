"""Results in, one self-contained HTML page out: pictures inside, nothing fetched."""

import base64
import io
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import jinja2
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from preimage.data.photo import Photo, to_image
from preimage.paper.draw import caption
from preimage.paper.finding import Finding, Verdict
from preimage.paper.overview import Grid, Overview
from preimage.paper.registry import FIGURES
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
    page = _template("overview.html")
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
        networks={
            "layer": overview.by_layer.num_networks(overview.by_layer.columns[0]),
            "width": [overview.by_width.num_networks(c) for c in overview.by_width.columns],
        },
        config=overview.config,
        chart=_uri(chart, "png"),
        contract=GREY,
        environment=environment,
        command=command,
    )


def findings_page(
    findings: Mapping[str, Sequence[Finding]],
    problems: Mapping[str, str],
    folder: Path,
    environment: dict[str, Any],
    command: str,
) -> str:
    """Every figure beside what the paper states and what we found, with a list of contents.

    Args:
        findings: by figure, in the order of the page.
        problems: by figure, why it is absent or incomplete.
        folder: where the findings' pictures and tables are.
        environment: versions and threads, from `records.environment`.
        command: the command line that makes the page again.
    """
    sections = [
        {
            "figure": figure,
            "title": FIGURES[figure].title,
            "findings": several,
            "problem": problems.get(figure, ""),
            "pictures": [
                (name, _uri((folder / name).read_bytes(), "png"))
                for name in dict.fromkeys(name for f in several for name in f.pictures)
            ],
            "tables": list(dict.fromkeys(name for f in several for name in f.tables)),
        }
        for figure, several in findings.items()
    ]
    verdicts = [finding.verdict for several in findings.values() for finding in several]
    return _template("findings.html").render(
        sections=sections,
        counts={name: verdicts.count(name) for name in get_args(Verdict) if name in verdicts},
        environment=environment,
        command=command,
    )


def _template(name: str) -> jinja2.Template:
    text = resources.files("preimage.paper").joinpath(f"templates/{name}").read_text("utf-8")
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(text)


def _best(overview: Overview) -> dict[str, str]:
    grid = overview.by_width
    row, column = "channel mean, nearest", grid.columns[-1]
    return {
        "width": column,
        "ssim": grid.interval(row, column, "ssim").spread(),
        "pearson": grid.interval(row, column, "pearson").spread(),
        "limit_ssim": f"{overview.limits[row, 'ssim'].mean:.3f}",
        "limit_pearson": f"{overview.limits[row, 'pearson'].mean:.3f}",
    }


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
    return _encode(Image.fromarray(array))


def _picture_uri(grey: Float[Tensor, "H W"]) -> str:
    return _encode(to_image(grey[None]))


def _encode(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88)
    return _uri(buffer.getvalue(), "webp")


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
