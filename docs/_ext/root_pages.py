"""Pages whose text stands in files of the checkout's root, so that nothing is written twice."""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
#: Page → file, and the heading of the only section that is shown.
PAGES = {
    "paper": ("README.md", "What the paper says, and what we find"),
    "contributing": ("CONTRIBUTING.md", None),
    "security": ("SECURITY.md", None),
    "changes": ("CHANGELOG.md", None),
}
#: Links in these files → links in the site; what the site does not have is named.
LINKS = {
    r"\]\(SECURITY\.md\)": "](security.md)",
    r"\]\(CHANGELOG\.md\)": "](changes.md)",
    r"\]\(docs/([\w/-]+\.md)": r"](\1",
    r"\[([^]]+)\]\((?:docs|benchmarks|src)/[^)]*\)": r"`\1`",
}


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Puts the text of the file where the page has `<!-- text -->`."""
    if page not in PAGES:
        return
    name, heading = PAGES[page]
    app.env.note_dependency(str(ROOT / name), docname=page)
    text = (ROOT / name).read_text("utf-8")
    if heading:
        text = re.split(r"^## ", text.split(f"## {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    for pattern, target in LINKS.items():
        text = re.sub(pattern, target, text)
    source[0] = source[0].replace("<!-- text -->", text)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
