"""The page of `preimage serve` in Chromium: what its tests wait for and look at."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

AXE = Path(__file__).parents[1] / "build" / "axe" / "package" / "axe.min.js"
PATIENCE = 120_000  # milliseconds, on a machine that has other things to do


def expect(found: Any) -> Any:
    """Playwright's, with our patience."""
    from playwright.sync_api import expect as expected

    expected.set_options(timeout=PATIENCE)
    return expected(found)


def shown(page: Any, *words: str) -> Any:
    """Waits for the whole picture of an address with these words."""
    having = "".join(f'[data-query*="{word}"]' for word in words)
    found = page.locator(f"#show-picture{having}:not(.preview):not(.waits)")
    found.wait_for()
    expect(page.locator("#problem")).to_be_hidden()
    return found.locator("img")


def all_shown(page: Any, *words: str) -> None:
    """Waits for the limit and the strips too."""
    shown(page, *words)
    expect(page.locator("#show-limit, #show-difference").locator("visible=true")).to_have_count(2)
    expect(page.locator("figure.waits")).to_have_count(0)
    expect(page.locator(".tiles img[src]:not(.waits)")).to_have_count(11)


def pixels(source: str | bytes) -> Any:
    data = base64.b64decode(source.partition(",")[2]) if isinstance(source, str) else source
    return np.asarray(Image.open(io.BytesIO(data)))
