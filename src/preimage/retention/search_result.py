"""What a search over architectures has found: a table, numbers, a page with two charts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from preimage.data.html import template
from preimage.data.records import output_file, write_json, write_text
from preimage.data.tables import text_table
from preimage.retention.chart import Line, line_chart
from preimage.retention.page import shown
from preimage.retention.search import ArchitectureRetention, best_of_families

_HEADING = ("architecture", "stride", "field", "1 per value", "4 per value", "16 per value", "∞")
_CHANNELS = "channels per pixel value"


@dataclass(frozen=True)
class Search:
    """Architectures of a grid, the best at one channel per pixel value first; layers of a network.

    Args:
        record: of the run.
    """

    grid: list[ArchitectureRetention]
    layers: list[ArchitectureRetention]
    record: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return text_table(_HEADING, [_cells(row) for row in (*self._sorted(), *self.layers)])

    def _sorted(self) -> list[ArchitectureRetention]:
        return sorted(self.grid, key=lambda row: -(row.at(1) or 0))

    def save(self, path: str | Path) -> Path:
        """Writes the page (`.html`) or the numbers (`.json`).

        Raises:
            ValueError: another ending, or the file can't be written.
        """
        file = output_file(path)
        match file.suffix:
            case ".html":
                return write_text(file, self._page())
            case ".json":
                rows = {"grid": map(asdict, self.grid), "layers": map(asdict, self.layers)}
                lists = {name: list(parts) for name, parts in rows.items()}
                return write_json(file, {"record": self.record, **lists})
            case _:
                raise ValueError(f"`path` must end in .html or .json, got {file.name}.")

    def _page(self) -> str:
        best = best_of_families(self.grid)
        page: str = template("preimage.retention", "search.html").render(
            chart=_chart([Line(name, tuple(points), level) for name, points, level in best]),
            counting=_chart([Line(row.family, row.curve, row.psnr) for row in self.layers]),
            heading=_HEADING,
            rows=[_cells(row) for row in self._sorted()],
            layers=[_cells(row) for row in self.layers],
            own=[(row.family, *_own(row)) for row in self.layers if row.own],
            footer=[(name, shown(value)) for name, value in self.record.items() if value],
        )
        return page


def _chart(lines: Sequence[Line]) -> str | None:
    return line_chart(lines, _CHANNELS, "PSNR, dB") if lines else None


def _own(row: ArchitectureRetention) -> tuple[str, str, str]:
    """Channels per pixel value, expected PSNR, and what any width would add, dB."""
    assert row.own is not None
    return f"{row.own[0]:.2f}", f"{row.own[1]:.1f}", f"{row.psnr - row.own[1]:.1f}"


def _cells(row: ArchitectureRetention) -> tuple[str, ...]:
    values = [row.at(1), row.at(4), row.at(16), row.psnr]
    return (
        f"{row.family}, behind its pool" if row.own else f"{row.name}, {row.family}",
        str(row.stride),
        str(row.field),
        *("–" if value is None else f"{value:.1f}" for value in values),
    )
