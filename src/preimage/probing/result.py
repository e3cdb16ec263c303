"""What `probe` returns: a table that shows itself, draws itself and writes itself to files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.photo import clipped_image
from preimage.data.records import write_atomically, write_json, write_text
from preimage.notebook.figures import ShownFigure
from preimage.notebook.html import render
from preimage.notebook.view import Tile
from preimage.probing.chart import draw_layers, draw_psnr
from preimage.probing.chart_style import as_svg
from preimage.probing.numbers import ProbeNumbers
from preimage.probing.page import probe_fragment, probe_page


@dataclass(frozen=True, repr=False)
class ProbeResult(ProbeNumbers):
    """What each layer remembers of the photo. In a notebook it shows itself as a table.

    `result["layer3"]` is a layer's report, `.rows()` and `.table` (pandas) the numbers.
    """

    @property
    def reconstructions(self) -> Mapping[str, Float[Tensor, "n 3 H W"]]:
        """Layer → what comes back of the first held-out photos, in whole grey levels, [0, 255]."""
        return {layer.name: torch.stack(layer.pictures).float() for layer in self.layers}

    def _figure(self) -> ShownFigure:
        """PSNR by layer with intervals, floors and ceilings; below it trained minus twins."""
        return draw_layers(self.layers, self.mean_image)

    def _draw(self, ax: Any) -> None:
        """The PSNR alone."""
        draw_psnr(ax, self.layers, self.mean_image)
        ax.set_xticks(range(len(self.layers)), [layer.name for layer in self.layers])

    def _tiles(self) -> list[Tile]:
        """The first held-out photo, and what comes back of it from each layer."""
        if not self.photos:
            return []
        photo = clipped_image(self.photos[0].float())
        return [Tile(photo, "held-out photo 1")] + [
            Tile(
                clipped_image(layer.pictures[0].float()),
                f"{layer.name}\n{layer.trained[0]:.1f} dB",
            )
            for layer in self.layers
            if layer.pictures
        ]

    def save(self, path: str | Path) -> Path:
        """Writes a page (`.html`, one file), the numbers (`.json`) or the chart (`.svg`).

        Raises:
            ValueError: another ending.
            OSError: the folder can't be written to.
        """
        path = Path(path)
        match path.suffix:
            case ".html":
                return write_text(path, probe_page(self))
            case ".json":
                return write_json(path, self.to_dict())
            case ".svg":
                chart = as_svg(self.plot())
                return write_atomically(path, lambda temporary: temporary.write_bytes(chart))
        raise ValueError(f"`path` must end in .html, .json or .svg, got {path}.")

    def _repr_html_(self) -> str:
        table = f'<div class="preimage-view">{probe_fragment(self)}</div>'
        return table + render(repr(self), self._tiles(), [])
