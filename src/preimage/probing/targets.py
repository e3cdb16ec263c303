"""Which layers are probed, how their features are read, and where they lie on the photo."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from preimage.probing.alignment import Placement, measure_placements
from preimage.probing.capture import LayerError, Selector, capture, check_features, undisturbed
from preimage.probing.features import Layout, layout_of
from preimage.probing.given_model import given_model
from preimage.probing.preprocessing import Preprocessing
from preimage.probing.shifts import choose_shifts
from preimage.probing.survey import Layer, choose_layers, survey

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """A layer and how its features are read: alike for the trained network and its twins."""

    name: str
    layout: Layout
    placement: Placement | None

    @property
    def stride(self) -> int | None:
        """Side of the block of pixels per position; None for vectors."""
        return None if self.placement is None else self.placement.alignment.stride


def find_targets(
    model: nn.Module,
    layers: str | Sequence[str],
    preprocessing: Preprocessing,
    photos: Float[Tensor, "N 3 H W"],
    selectors: Mapping[str, Selector] | None = None,
) -> list[Target]:
    """The layers to probe, how their features are read and where they lie, checked on two photos.

    Args:
        photos: training photos, in [0, 255]. Where positions can't be measured, they are chosen on
            some of them, if there are eight (`choose_shifts`).
        selectors: for layers with several outputs, which tensor to take.

    Raises:
        LayerError: naming the layer and what to do.
    """
    inputs = preprocessing(photos[:2])
    surveyed = survey(model, inputs, selectors) if layers == "auto" else []
    names = choose_layers(model, layers, surveyed)
    with undisturbed(model):
        check_features(model, names, inputs, selectors)
        with torch.no_grad():
            outputs = capture(model, names, inputs, selectors)
    size = (photos.shape[2], photos.shape[3])
    shapes = {name: tuple(outputs[name].shape[1:]) for name in names}
    layouts = {name: layout_of(name, shape, size, model) for name, shape in shapes.items()}
    placements = _placements(model, layouts, preprocessing, photos, selectors)
    targets = []
    for name, layout in layouts.items():
        placement = placements.get(name)
        if placement is not None and placement.stride.denominator != 1:
            if layers == "auto":
                _log.warning("%s left out: its positions do not divide the photo.", name)
                continue
            raise LayerError(
                f"layer {name} has {layout.grid} positions, {float(placement.stride):.2f} pixels "
                f"apart in photos of {size[0]}×{size[1]}; choose a photo size that is a whole "
                "multiple."
            )
        targets.append(Target(name, layout, placement))
    if not targets:
        raise LayerError(
            f"`layers`: no layer's positions divide photos of {size[0]}×{size[1]}; choose a size "
            "that is a multiple of their strides."
        )
    return targets


def _placements(
    model: nn.Module,
    layouts: dict[str, Layout],
    preprocessing: Preprocessing,
    photos: Float[Tensor, "N 3 H W"],
    selectors: Mapping[str, Selector] | None,
) -> dict[str, Placement]:
    grids = {name: layout for name, layout in layouts.items() if layout.grid}
    if not grids:
        return {}

    def features(pixels: Tensor) -> dict[str, Tensor]:
        outputs = capture(model, list(grids), preprocessing(pixels), selectors, stop=True)
        return {name: layout.read(outputs[name]) for name, layout in grids.items()}

    with undisturbed(model), torch.no_grad():
        placements = measure_placements(features, (photos.shape[2], photos.shape[3]))
        return choose_shifts(features, placements, photos)


def list_layers(model: nn.Module, preprocessing: Preprocessing | None = None) -> list[Layer]:
    """The modules of a model that give features, with their shapes for one photo.

    Those of a `Network` are its operations.
    """
    given, preprocessing = given_model(model, preprocessing)
    side = preprocessing.size
    return survey(given.model, preprocessing(torch.full((1, 3, side, side), 127.0)))
