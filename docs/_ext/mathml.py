r"""Mathematics as MathML, written while the site is built: no script, and nothing to fetch.

Browsers draw MathML themselves, but need a font that knows mathematics. STIX Two Math (SIL Open
Font License) comes with the package ziamath; the site gets the part of it that its pages use.
"""

import html
import importlib.resources
import logging as standard_logging
import re
import unicodedata
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

LOG = logging.getLogger(__name__)
standard_logging.getLogger("fontTools").setLevel("ERROR")
#: Commands by the number of their arguments; of others none is bare in our pages.
ARGUMENTS = {
    **dict.fromkeys((r"\frac", r"\tfrac", r"\dfrac"), 2),
    **dict.fromkeys((r"\mathbb", r"\mathcal", r"\mathrm", r"\mathbf"), 1),
    **dict.fromkeys((r"\hat", r"\bar", r"\tilde", r"\sqrt"), 1),
}
FUNCTIONS = tuple("\\" + name for name in ("sin", "cos", "tan", "arccos", "ln", "log", "exp"))
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}]|\s+|.", re.DOTALL)
FACTOR = re.compile(r"[\w})]$")
OPENING = re.compile(r"[(\[}]|\\big|\\left|\\,")
#: What the converter sets otherwise than TeX: unary minus, bars, slashes, names of operators, ∼.
SPACING = (
    (
        r"(<mrow>|<m[a-z]+>|<mo[^>]*>(?:&#x0002[8C];|&#x0005B;|&#x0007B;|\(|\[|=|&#x0003D;|&#x02192;)</mo>)"
        r"<mo>&#x02212;",
        r'\1<mo form="prefix">&#x02212;',
    ),
    (r"<mo stretchy=\"false\">&#x0007C;", '<mo stretchy="false" lspace="0" rspace="0">|'),
    ("<mo>&#x0002F;", '<mo lspace="0" rspace="0">/'),
    (r"<mo( movablelimits=\"true\")?>([A-Za-z]+)<", r'<mo\1 lspace="0.12em" rspace="0.12em">\2<'),
    ("<mi>&#x0007E;</mi>", "<mo>∼</mo>"),
    ("<m[io]>&#x02032;</m[io]>", '<mo lspace="0" rspace="0">′</mo>'),
)
#: Browsers set a single letter in mathematical italics: other characters of the font.
ITALICS = "ℎ" + "".join(map(chr, (*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C))))
CLOSING = re.compile(r"[^\w\s(\[]+")
LONG = 45  # characters of TeX that may be wider than a phone
FONT = "stix-two-math.woff"


def braced(latex: str) -> str:
    r"""The same formula with braces around every argument, and thin spaces around functions.

    The converter reads `\frac12` and `\mathbb E` otherwise than TeX does, and sets sin θ as sinθ.

    >>> print(braced(r"\tfrac12\mathbb E\sqrt{\frac1N}\sin^2\theta"))
    \tfrac{1}{2}\mathbb{E}\sqrt{\frac{1}{N}}\,\sin^2\,\theta
    """
    tokens = TOKEN.findall(latex)
    formula = _formula(tokens)
    if tokens:
        raise ValueError("a brace is closed that was not opened")
    return formula


def _formula(tokens: list[str]) -> str:
    out = ""
    while tokens and tokens[0] != "}":
        item = _item(tokens)
        out += r"\," if item.startswith(FUNCTIONS) and FACTOR.search(out) else ""
        out += item
    return out


def _item(tokens: list[str]) -> str:
    """A group, or a token with its arguments and, of a function, its scripts."""
    if not tokens:
        raise ValueError("an argument is missing")
    token = item = tokens.pop(0)
    if token == "{":
        item += _formula(tokens) + (tokens.pop(0) if tokens else "")
    for _ in range(ARGUMENTS.get(token, 0)):
        _skip_spaces(tokens)
        argument = _item(tokens)
        item += argument if argument.startswith("{") else "{" + argument + "}"
    if token in FUNCTIONS:
        _skip_spaces(tokens)
        while tokens and tokens[0] in "^_":
            item += tokens.pop(0) + _item(tokens)
        item += "" if not tokens or OPENING.match(tokens[0]) else r"\,"
    return item


def _skip_spaces(tokens: list[str]) -> None:
    while tokens and tokens[0].isspace():
        tokens.pop(0)


def mathml(latex: str, display: str) -> str:
    """A `<math>` element; `display` is `inline` or `block`."""
    written = convert(braced(latex.replace(r"\dots", r"\ldots")), display=display)
    for pattern, ours in SPACING:
        written = re.sub(pattern, ours, written)
    return str(written)


class KeepTogether(SphinxPostTransform):
    """Takes the bracket before a formula and the comma behind it onto the formula's line."""

    default_priority = 900

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(nodes.math)):
            place = node.parent.index(node)
            siblings = node.parent.children
            before = siblings[place - 1] if place else None
            behind = siblings[place + 1] if place + 1 < len(siblings) else None
            node["before"] = node["behind"] = ""
            if isinstance(before, nodes.Text) and before[-1:] in {"(", "“", "["}:
                node["before"] = before[-1]
                node.parent.replace(before, nodes.Text(before[:-1]))
            if isinstance(behind, nodes.Text) and (cut := CLOSING.match(behind)):
                node["behind"] = cut[0]
                node.parent.replace(behind, nodes.Text(behind[cut.end() :]))


def visit_inline(writer: Any, node: nodes.math) -> None:
    kind = "formula long" if len(node.astext()) > LONG else "formula"
    writer.body.append(f'<span class="{kind}">{node.get("before", "")}')
    _write(writer, node, "inline", after=f"{node.get('behind', '')}</span>")


def visit_block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    _write(writer, node, "block", after="</div>\n")


def _write(writer: Any, node: nodes.Element, display: str, after: str = "") -> None:
    latex = node.astext().strip()
    try:
        writer.body.append(mathml(latex, display) + after)
    except Exception as error:
        LOG.warning("mathematics: %s: %s", latex, error, location=node)
        writer.body.append(html.escape(latex) + after)
    raise nodes.SkipNode


def write_font(app: Sphinx, exception: Exception | None) -> None:
    """The glyphs of the site's formulas, with the table that sets mathematics."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    formulas = re.compile(r"<math.*?</math>", re.DOTALL)
    text = {"√", *map(chr, range(0x20, 0x7F))}  # a root is an element, not a character
    for page in out.rglob("*.html"):
        for formula in formulas.findall(page.read_text("utf-8")):
            text.update(html.unescape(re.sub(r"<[^>]*>", " ", formula)))
    text.update(c for c in ITALICS if unicodedata.normalize("NFKC", c) in text)
    options = subset.Options(flavor="woff", layout_features=["*"], notdef_outline=True)
    with importlib.resources.path("ziamath.fonts", "STIXTwoMath-Regular.ttf") as source:
        font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(text)))
    subsetter.subset(font)
    narrow_roots(font)
    target = out / "_static" / FONT
    target.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target), options)


def narrow_roots(font: Any) -> None:
    """Makes all root signs as wide as the smallest.

    Chromium gives every root the width of the widest sign, which left a gap behind most roots.
    """
    width = font["hmtx"]["uni221A"][0]
    for name in (n for n in font.getGlyphOrder() if re.fullmatch(r"uni221A\.(s\d|t|x)", n)):
        advance, bearing = font["hmtx"][name]
        glyph = font["glyf"][name]
        glyph.coordinates.scale((width / advance, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, round(bearing * width / advance))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_post_transform(KeepTogether)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("build-finished", write_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
