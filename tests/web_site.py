"""A site of the page for tests, with small bounds where they are wanted."""

import torch

from preimage.app.cli.serve import spell
from preimage.app.web.again import Again
from preimage.app.web.app import Site
from preimage.app.web.decoders import DecoderStore
from preimage.app.web.photos import PhotoStore
from preimage.app.web.settings import Bounds
from preimage.app.web.studio import Studio

BASE = "http://127.0.0.1:8765"


def make_site(
    bounds: Bounds | None = None, sandbox: bool = False, decoders: DecoderStore | None = None
) -> Site:
    bounds = bounds or Bounds()
    decoders = decoders or DecoderStore((), (), torch.device("cpu"), bounds.decoders)
    studio = Studio(PhotoStore(bounds.stored), decoders, Again(spell), bounds)
    return Site(studio, bounds, "cpu", sandbox=sandbox)
