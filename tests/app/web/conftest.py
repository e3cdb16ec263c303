"""A site in this process, and a client that asks it as a browser on this machine would."""

from collections.abc import Callable, Iterator

import pytest
import torch
from starlette.testclient import TestClient

from preimage.app.cli.serve import spell
from preimage.app.web.again import Again
from preimage.app.web.app import Site, create_app
from preimage.app.web.decoders import DecoderStore
from preimage.app.web.photos import PhotoStore
from preimage.app.web.security import Access
from preimage.app.web.settings import Bounds
from preimage.app.web.studio import Studio

BASE = "http://127.0.0.1:8765"


def make_site(bounds: Bounds | None = None, sandbox: bool = False) -> Site:
    bounds = bounds or Bounds()
    decoders = DecoderStore((), (), torch.device("cpu"), bounds.decoders)
    studio = Studio(PhotoStore(bounds.stored), decoders, Again(spell), bounds)
    return Site(studio, bounds, "cpu", sandbox=sandbox)


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = create_app(make_site(), Access.of("127.0.0.1", 8765))
    with TestClient(app, BASE) as made:
        yield made


@pytest.fixture
def make_client() -> Iterator[Callable[..., TestClient]]:
    opened: list[TestClient] = []

    def make(bounds: Bounds | None = None, sandbox: bool = False) -> TestClient:
        app = create_app(make_site(bounds, sandbox), Access.of("127.0.0.1", 8765))
        made = TestClient(app, BASE)
        made.__enter__()
        opened.append(made)
        return made

    yield make
    for each in opened:
        each.__exit__()
