"""What a retention has found: a table, the numbers, a page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preimage.data.records import output_file, write_json, write_text
from preimage.data.tables import text_table
from preimage.retention.layer_retention import LayerRetention, retention_table
from preimage.retention.page import retention_page


@dataclass(frozen=True)
class Retention:
    """The layers of a description, and the record of the run."""

    layers: tuple[LayerRetention, ...]
    record: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[LayerRetention]:
        return iter(self.layers)

    def __str__(self) -> str:
        return text_table(*retention_table(self.layers))

    def save(self, path: str | Path) -> Path:
        """Writes the page (`.html`) or the numbers (`.json`).

        Raises:
            ValueError: another ending, or the file can't be written.
        """
        file = output_file(path)
        match file.suffix:
            case ".html":
                return write_text(file, retention_page(self.layers, self.record))
            case ".json":
                return write_json(file, self.numbers())
            case _:
                raise ValueError(f"`path` must end in .html or .json, got {file.name}.")

    def numbers(self) -> Mapping[str, Any]:
        """The record and a row per layer, plain data."""
        return {"record": self.record, "layers": [layer.row() for layer in self.layers]}
