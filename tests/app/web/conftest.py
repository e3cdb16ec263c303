"""Clients that ask as a browser on this machine would, and a browser that does."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_page import PATIENCE
from starlette.testclient import TestClient
from web_site import BASE, make_site

from preimage.app.web.app import create_app
from preimage.app.web.security import Access


@pytest.fixture
def make_client() -> Iterator[Callable[..., TestClient]]:
    with ExitStack() as opened:

        def make(**how: Any) -> TestClient:
            app = create_app(make_site(**how), Access.of("127.0.0.1", 8765))
            return opened.enter_context(TestClient(app, BASE))

        yield make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


# --- in a browser: `make browser` ----------------------------------------------------------------


@pytest.fixture(scope="module")
def shots() -> Path:
    """Where pictures of the page are left."""
    if "PREIMAGE_BROWSER" not in os.environ:
        pytest.skip("run by `make browser`")
    return Path(os.environ["PREIMAGE_BROWSER"])


@pytest.fixture(scope="module")
def browser(shots: Path) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def address(browser: Any) -> Iterator[str]:
    """A server of its own process, which SIGTERM must stop cleanly."""
    words = [sys.executable, "-m", "preimage", "serve", "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "preimage: stopped.\n")


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    """Opens pages on which nothing may go wrong, and from which nothing may leave."""
    contexts, wrong = [], []

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc != urlsplit(address).netloc:
            wrong.append(f"asked for {request.url}")

    def open_it(query: str = "", **context: Any) -> Any:
        context = {"viewport": {"width": 1200, "height": 900}, **context}
        contexts.append(browser.new_context(**context))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].grant_permissions(["clipboard-read", "clipboard-write"])
        page = contexts[-1].new_page()
        page.on("request", asked)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: line.type == "error" and wrong.append(line.text))
        page.goto(address + query)
        return page

    yield open_it
    for context in contexts:
        context.close()
    # An upload that is refused is one that the browser notes; nothing else is.
    assert not [line for line in wrong if "status of 422" not in line]
