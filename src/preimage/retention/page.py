"""One self-contained HTML page of a retention: the table, the curves, what comes back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from preimage.data.html import picture_uri, template
from preimage.data.photo import clipped_image
from preimage.retention.chart import Line, line_chart
from preimage.retention.layer_retention import LayerRetention, retention_table

_SHOWN = 48  # tiles of a mosaic


def retention_page(layers: Sequence[LayerRetention], record: Mapping[str, Any]) -> str:
    """The page, one file: pictures inside, nothing fetched."""
    heading, rows = retention_table(layers)
    page: str = template("preimage.retention", "retention.html").render(
        record=record,
        heading=heading,
        rows=rows,
        chart=_curves(layers),
        learning=_learning(layers),
        mosaics=[_mosaic_row(layer) for layer in layers],
        landmarks=any(layer.landmarks for layer in layers),
        drawn=[layer.layer for layer in layers if layer.drawn_mse],
        footer=[(name, shown(value)) for name, value in record.items() if value],
    )
    return page


def shown(value: Any) -> str:
    """A value of the record in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _curves(layers: Sequence[LayerRetention]) -> str | None:
    lines = [Line(layer.layer, layer.curve, layer.psnr.mean) for layer in layers if layer.curve]
    return line_chart(lines, "channels of every layer", "PSNR, dB") if lines else None


def _learning(layers: Sequence[LayerRetention]) -> str | None:
    lines = [
        Line(layer.layer, (*layer.learning, (layer.positions[0], layer.psnr.mean)))
        for layer in layers
        if layer.learning
    ]
    return line_chart(lines, "positions fitted to", "PSNR, dB") if lines else None


def _mosaic_row(layer: LayerRetention) -> dict[str, Any]:
    chosen = torch.linspace(0, len(layer.originals) - 1, min(_SHOWN, len(layer.originals))).long()
    return {
        "name": layer.layer,
        "psnr": f"{layer.psnr:.1f}",
        "pictures": [
            picture_uri(clipped_image(mosaic(tiles[chosen])), quality=92)
            for tiles in (layer.originals, layer.reconstructions)
        ],
    }


def mosaic(tiles: Tensor, columns: int = 8, gap: int = 1) -> Tensor:
    """Tiles (T, D, h, w) side by side, enlarged to about 64 pixels each, white between them."""
    zoom = max(1, 64 // tiles.shape[-1])
    tiles = tiles.repeat_interleave(zoom, -1).repeat_interleave(zoom, -2)
    gap *= 4
    padded = torch.nn.functional.pad(tiles, (0, gap, 0, gap), value=255.0)
    missing = -len(padded) % columns
    blank = padded.new_full((missing, *padded.shape[1:]), 255.0)
    grid = torch.cat([padded, blank]).view(-1, columns, *padded.shape[1:])
    return grid.permute(2, 0, 3, 1, 4).flatten(3).flatten(1, 2)
