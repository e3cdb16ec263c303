"""Pictures and tables as a piece of HTML that stands alone: nothing fetched, no script.

It takes its colours from the page around it (`currentColor` and translucent greys), so that it
reads in light and dark notebooks alike, whichever way they are made dark.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

    from preimage.notebook.tile import Tile

MOST_TILES = 24  # pictures of one view; the others are counted
MOST_ROWS = 30
_SIDE, _LONE_SIDE = 176, 320  # pixels of a picture among others, and of one alone
_STYLE = """
.preimage-view { color: inherit; font: 13px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
  "DejaVu Sans", sans-serif; max-width: 100%; overflow-x: auto; }
.preimage-view .line { margin: 0 0 8px; opacity: .78; overflow-wrap: anywhere; }
.preimage-view .tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 0 0 8px; }
.preimage-view figure { margin: 0; max-width: 100%; }
.preimage-view img { display: block; margin: 0; max-width: 100%; height: auto; border-radius: 4px;
  background: none; }
.preimage-view img.small { image-rendering: pixelated; }
.preimage-view figcaption { font-size: 12px; line-height: 1.35; opacity: .78; margin: 4px 0 0;
  text-align: left; white-space: pre-line; overflow-wrap: anywhere; }
.preimage-view table { border-collapse: collapse; border: 0; margin: 0 0 8px; color: inherit;
  font: inherit; font-variant-numeric: tabular-nums; }
.preimage-view tr { background: none; border: 0; }
.preimage-view th, .preimage-view td { background: none; color: inherit; border: 0;
  border-bottom: 1px solid rgba(128, 128, 128, .32); padding: 3px 18px 3px 0; text-align: right;
  white-space: nowrap; }
.preimage-view th { font-weight: 600; }
.preimage-view .text { text-align: left; }
.preimage-view td.wide { white-space: normal; min-width: 18em; }
"""


def render(line: str, tiles: Sequence["Tile"], rows: Sequence[Mapping[str, Any]]) -> str:
    """The line of text, the pictures, the table."""
    parts = [f"<style>{_STYLE}</style>", f'<p class="line">{escape(line)}</p>']
    if tiles:
        side = _LONE_SIDE if len(tiles) == 1 else _SIDE
        shown = "".join(_tile(tile, side * tile.columns) for tile in tiles[:MOST_TILES])
        parts.append(f'<div class="tiles">{shown}')
        parts.append("</div>" + _others(len(tiles) - MOST_TILES, "pictures"))
    if rows:
        parts.append(_table(rows[:MOST_ROWS]) + _others(len(rows) - MOST_ROWS, "rows"))
    return f'<div class="preimage-view">{"".join(parts)}</div>'


def cell(value: Any) -> str:
    """A value of a table as text: four digits, the field's minus sign, nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}".replace("-", "−")
        case float():
            if math.isinf(value):
                return "−∞" if value < 0 else "∞"
            return f"{value:.4g}".replace("-", "−")
    return str(value)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = {name: any(isinstance(row.get(name), str) for row in rows) for name in names}

    def line(tag: str, values: Mapping[str, Any]) -> str:
        cells = []
        for name in names:
            shown = cell(values.get(name))
            wide = " wide" if len(shown) > 60 else ""
            kind = f' class="text{wide}"' if text[name] else ""
            cells.append(f"<{tag}{kind}>{escape(shown)}</{tag}>")
        return f"<tr>{''.join(cells)}</tr>"

    head = line("th", {name: name.replace("_", " ") for name in names})
    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _tile(tile: "Tile", side: int) -> str:
    caption = escape(tile.caption)
    picture, width = "", side // 2
    if tile.image is not None:
        image = _shrunk(tile.image, side)
        data = base64.b64encode(_png(image)).decode()
        factor = max(1, side // max(image.size))  # tiny pictures are enlarged
        small = ' class="small"' if factor > 1 else ""
        width = factor * image.width
        picture = (
            f'<img{small} width="{width}" height="{factor * image.height}" alt="{caption}" '
            f'src="data:image/png;base64,{data}">'
        )
    # A caption does not widen the column of its picture.
    style = f"width: {max(width, side // 2)}px"
    return f'<figure style="{style}">{picture}<figcaption>{caption}</figcaption></figure>'


def _others(count: int, what: str) -> str:
    return f'<p class="line">and {count:,} more {what}</p>' if count > 0 else ""


def contact_sheet(tiles: Sequence["Tile"]) -> bytes | None:
    """The pictures side by side, six a row, as one PNG; None where there are none."""
    from PIL import Image

    images = [tile.image for tile in tiles[:MOST_TILES] if tile.image is not None]
    if len(images) == 1:
        return _png(images[0])
    images = [_shrunk(image, _SIDE) for image in images]
    rows = [images[start : start + 6] for start in range(0, len(images), 6)]
    if not rows:
        return None
    gap = 6  # pixels
    size = (
        max(sum(i.width + gap for i in row) for row in rows) - gap,
        sum(max(i.height for i in row) + gap for row in rows) - gap,
    )
    sheet, y = Image.new("RGBA", size), 0  # transparent between them
    for row in rows:
        x = 0
        for image in row:
            sheet.paste(image.convert("RGBA"), (x, y))
            x += image.width + gap
        y += max(image.height for image in row) + gap
    return _png(sheet)


def beside(*images: "Image") -> "Image":
    """Pictures of one height side by side, with a narrow gap."""
    from PIL import Image

    gap = max(2, images[0].width // 40)
    width = sum(image.width + gap for image in images) - gap
    both, x = Image.new("RGBA", (width, images[0].height)), 0  # transparent between them
    for image in images:
        both.paste(image.convert("RGBA"), (x, 0))
        x += image.width + gap
    return both


def _shrunk(image: "Image", side: int) -> "Image":
    small = image.copy()
    small.thumbnail((side, side))
    return small


def _png(image: "Image") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
