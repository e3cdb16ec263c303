"""Names in the text, such as ``limit`` or ``probe(…)``, link to their place in the reference.

In Markdown and in docstrings; only names that stand for one thing of this package.
"""

import re
from collections import defaultdict
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

NAME = re.compile(r"((?:[a-z_]+\.)*\w+)(?:\(.*\))?", re.DOTALL)
KINDS = {"class", "exception", "function", "method", "property"}


class LinkCode(SphinxPostTransform):
    """Replaces a code literal by a link around it."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        targets = _targets(self.env.domaindata["py"]["objects"])
        for literal in list(self.document.findall(nodes.literal)):
            match = NAME.fullmatch(literal.astext())
            if match is None or _stays_as_it_is(literal) or match.group(1) not in targets:
                continue
            fullname, page = targets[match.group(1)]
            link = make_refnode(
                self.app.builder, self.env.docname, page, fullname, [literal.deepcopy()], fullname
            )
            literal.replace_self(link)


def _stays_as_it_is(literal: nodes.literal) -> bool:
    """True in links and titles, and for `probe` or `limit`, verbs of the command line as well."""
    marked = set(literal["classes"]) - {"code"}
    inside = isinstance(literal.parent, nodes.reference | nodes.title)
    return bool(marked or inside or re.fullmatch("[a-z]+", literal.astext()))


def _targets(objects: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Every way to name an object that names no other: its full name, `Class.method`, its name."""
    named: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for fullname, entry in objects.items():
        if entry.objtype not in KINDS:
            continue
        parts = fullname.split(".")
        for start in range(len(parts)):
            short = ".".join(parts[start:])
            if start == len(parts) - 1 and entry.objtype in {"method", "property"}:
                continue
            named[short].add((fullname, entry.docname))
        if len(parts) == 4:  # the short way to import it, as in preimage.probing.probe
            named[".".join((*parts[:2], parts[3]))].add((fullname, entry.docname))
    return {short: entries.pop() for short, entries in named.items() if len(entries) == 1}


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_post_transform(LinkCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
