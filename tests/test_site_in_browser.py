"""The built site in Chromium, opened from the disk: `make docs`, then `make browser`."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SITE = Path(__file__).parents[1] / "docs" / "_build" / "html"
WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth > innerWidth"
MATHEMATICS_IS_SET = (
    'document.fonts.ready.then(() => document.fonts.check("1em preimage-mathematics"))'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if "PREIMAGE_BROWSER" not in os.environ:
        pytest.skip("run by `make browser`")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not SITE.exists():
        pytest.skip("there is no Chromium" if SITE.exists() else "`make docs` has not been run")
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_and_fetches_nothing(browser: Any, scheme: str) -> None:
    faults: list[str] = []
    page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    page.on("request", lambda request: faults.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    for path in sorted(SITE.rglob("*.html")):
        page.goto(path.as_uri())
        if path.parent.name != "_modules" and page.evaluate(WIDER_THAN_THE_PAGE):
            faults.append(f"{path.name} is wider than the screen")
    assert [fault for fault in faults if not fault.startswith(("file:", "data:"))] == []


def test_formulas_have_their_font(browser: Any) -> None:
    page = browser.new_page()
    page.goto((SITE / "theory.html").as_uri())
    assert page.locator("math").count() > 300
    assert page.evaluate(MATHEMATICS_IS_SET)


@pytest.mark.parametrize(
    ("words", "found"),
    [("cosine_bound", "api/theory.html"), ("leakage curve", "tutorials/leakage.html")],
)
def test_the_search_finds(browser: Any, words: str, found: str) -> None:
    page = browser.new_page()
    page.goto((SITE / "index.html").as_uri())
    page.fill("input[name=q]", words)
    page.press("input[name=q]", "Enter")
    page.wait_for_selector(f'#search-results a[href^="{found}"]', timeout=60_000)
