"""Clients that ask as a browser on this machine would."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient
from web_site import BASE, make_site

from preimage.app.web.app import create_app
from preimage.app.web.security import Access
from preimage.app.web.settings import Bounds


@pytest.fixture
def make_client() -> Iterator[Callable[..., TestClient]]:
    with ExitStack() as opened:

        def make(bounds: Bounds | None = None, sandbox: bool = False) -> TestClient:
            app = create_app(make_site(bounds, sandbox), Access.of("127.0.0.1", 8765))
            return opened.enter_context(TestClient(app, BASE))

        yield make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()
