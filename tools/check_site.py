"""Holds that the built site fetches nothing from elsewhere, and that its links lead somewhere.

    make docs
    python tools/check_site.py docs/_build/html      exit code 1 and one line per fault

Links to other hosts that a reader may click are fine; scripts, styles, fonts and pictures of other
hosts are not, since a page opened from a disk without a network would lack them.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Elements and the attributes by which a browser fetches something for them.
FETCHED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
IN_STYLE = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
IN_SCRIPT = re.compile(
    r"""(?:fetch|import|importScripts)\(\s*["'`]((?:https?:)?//[^"'`]+)"""
    r"""|\.src\s*=\s*["'`]((?:https?:)?//[^"'`]+)"""
)


class Page(HTMLParser):
    """What a page fetches, which links it has, and the anchors in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = {"", "top"}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._inside = tag
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        for name in FETCHED.get(tag, ()):
            if name == "srcset":
                self.fetched += [part.split()[0] for part in given.get(name, "").split(",") if part]
            elif name in given and given.get("rel") not in {"canonical", "next", "prev", "search"}:
                self.fetched.append(given[name])
        if tag in {"a", "link"} and "href" in given:
            self.links.append(given["href"])
        self.fetched += style_addresses(given.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.fetched += style_addresses(data)
        elif self._inside == "script":
            self.fetched += script_addresses(data)


def faults(site: Path) -> Iterator[str]:
    """One line per thing fetched from elsewhere, and per link inside that leads nowhere."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: no page; run `make docs` first"
    for path, page in pages.items():
        name = path.relative_to(site)
        yield from (f"{name}: fetches {url}" for url in page.fetched if is_outside(url))
        for url in (*page.links, *page.fetched):
            if fault := broken(url, path, pages, site):
                yield f"{name}: {fault}"
    for path in sorted((*site.rglob("*.css"), *site.rglob("*.js"))):
        text = path.read_text("utf-8")
        read = style_addresses if path.suffix == ".css" else script_addresses
        for url in read(text):
            if is_outside(url):
                yield f"{path.relative_to(site)}: fetches {url}"
            elif fault := broken(url, path, pages, site):
                yield f"{path.relative_to(site)}: {fault}"


def style_addresses(text: str) -> list[str]:
    return [url or imported for url, imported in IN_STYLE.findall(text)]


def script_addresses(text: str) -> list[str]:
    return [called or assigned for called, assigned in IN_SCRIPT.findall(text)]


def is_outside(url: str) -> bool:
    return urlsplit(url).scheme in {"http", "https", "ws", "wss"} or url.startswith("//")


def broken(url: str, path: Path, pages: dict[Path, Page], site: Path) -> str:
    """Why a link inside the site leads nowhere; empty if it doesn't, or leads to another host."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return ""
    target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if not target.is_relative_to(site) or not target.exists():
        return f"{url} leads nowhere"
    if parts.fragment and target in pages:
        anchor = unquote(parts.fragment)
        if anchor not in pages[target].anchors and not anchor.startswith(":~:"):
            return f"{url}: no such place in that page"
    return ""


def main(arguments: list[str]) -> int:
    site = Path(*arguments).resolve()
    found = list(faults(site))
    print("\n".join(found) or f"{site.name}: every link leads somewhere, nothing is fetched")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
