"""One self-contained HTML page of a probe: a section per thing, left out where it was not asked.

A section is a title, a template in `templates/` and a function from the numbers to what the
template shows; None leaves the section out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from preimage.data.html import template
from preimage.probing.analysis_charts import bands, leakage
from preimage.probing.chart import draw_layers
from preimage.probing.chart_style import Style, in_four_styles
from preimage.probing.gallery import gallery
from preimage.probing.numbers import ProbeNumbers
from preimage.probing.page_tables import (
    bounds,
    infinite_width,
    other_photos,
    rungs,
    summary,
    verdicts,
)

_PACKAGE = "preimage.probing"


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    anchor: str
    title: str
    template: str
    content: Callable[[ProbeNumbers], Mapping[str, Any] | None]


def _by_depth(numbers: ProbeNumbers) -> Mapping[str, Any]:
    def draw(style: Style) -> Figure:
        return draw_layers(numbers.layers, numbers.mean_image, style)

    return {"chart": in_four_styles(draw)}


SECTIONS = (
    Section("verdicts", "Layer by layer", "verdicts.html", verdicts),
    Section("chart", "By depth", "chart.html", _by_depth),
    Section("gallery", "What comes back", "gallery.html", gallery),
    Section("rungs", "More than a line", "rungs.html", rungs),
    Section("infinite-width", "At infinite width", "infinite_width.html", infinite_width),
    Section("bounds", "Information or prior?", "bounds.html", bounds),
    Section("other", "Photos of another domain", "other.html", other_photos),
    Section("bands", "Which details", "bands.html", bands),
    Section("leakage", "What leaks", "leakage.html", leakage),
    Section("method", "What the numbers mean", "method.html", lambda numbers: {}),
)


def probe_page(numbers: ProbeNumbers) -> str:
    """The page, one file: pictures inside, nothing fetched."""
    sections = []
    for section in SECTIONS:
        content = section.content(numbers)
        if content is not None:
            common = {"numbers": numbers, "count": len(numbers.layers)}
            body = template(_PACKAGE, section.template).render(**common, **content)
            sections.append((section.anchor, section.title, Markup(body)))
    page: str = template(_PACKAGE, "probe.html").render(
        record=numbers.record,
        summary=summary(numbers),
        sections=sections,
        footer=_flat(numbers.record),
    )
    return page


def probe_fragment(numbers: ProbeNumbers) -> str:
    """The table of verdicts alone, for a notebook."""
    fragment: str = template(_PACKAGE, "fragment.html").render(**verdicts(numbers))
    return fragment


def _flat(record: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """The record line by line: `photos.training`, 96."""
    lines: list[tuple[str, str]] = []
    for name, value in record.items():
        if isinstance(value, Mapping):
            lines += _flat(value, f"{before}{name}.")
        elif name == "twins":
            lines += [(f"{before}twin {i}", _in_words(twin)) for i, twin in enumerate(value)]
        elif value not in (None, ""):
            lines.append((f"{before}{name}", str(value)))
    return lines


def _in_words(twin: Mapping[str, Any]) -> str:
    redrawn = len(twin["redrawn"])
    words = [f"seed {twin['seed']}, {twin['how']}"]
    if redrawn:
        words.append(f"{redrawn} other parameters drawn with the trained ones' mean and spread")
    if twin["statistics"]:
        words.append("batch normalisation's statistics estimated on the photos")
    return ", ".join(words)
