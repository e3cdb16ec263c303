"""The question of this package, asked of any model: what does a layer remember of the photo?"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from preimage.data.photo import Photo, fingerprint, open_photos
from preimage.data.progress import progress_bar
from preimage.data.records import environment
from preimage.decoders.evaluate import bicubic
from preimage.probing.alignment import Placement, measure_placements
from preimage.probing.capture import LayerError, capture, check_features, undisturbed
from preimage.probing.controls import block_basis
from preimage.probing.features import Layout, layout_of
from preimage.probing.preprocessing import Preprocessing, find_preprocessing
from preimage.probing.result import LayerReport, ProbeResult, psnr
from preimage.probing.rungs import LayerResult, Target, probe_network, squared_error
from preimage.probing.survey import Layer, choose_layers, survey
from preimage.probing.twins import Initialisation, Twin, random_twin
from preimage.scores.metrics import COLOUR

Pixels = Float[Tensor, "N 3 H W"]
_log = logging.getLogger(__name__)
HeldOut = Float[Tensor, "M 3 H W"]
Photos = str | Path | Sequence[str | Path] | Sequence[Photo] | Tensor


def probe(
    model: nn.Module,
    photos: Photos,
    layers: str | Sequence[str] = "auto",
    *,
    held_out: Photos | None = None,
    preprocessing: Preprocessing | None = None,
    twins: int = 5,
    twin_statistics: bool = True,
    initialisation: Initialisation = None,
    window: int = 1,
    batch_size: int = 8,
    seed: int = 0,
) -> ProbeResult:
    """What layers of a model remember of photos, against the same network untrained.

    A linear decoder is fitted to each layer's features on training photos and scored on others; the
    same for random twins of the model, whose weights are drawn again. Pixels are compared after the
    resize and crop, before the model's normalisation.

        >>> import torch
        >>> from preimage.probing import RAW, probe
        >>> from dataclasses import replace
        >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 48, 4, stride=4), torch.nn.ReLU())
        >>> photos = 255 * torch.rand(20, 3, 24, 32, generator=torch.Generator().manual_seed(0))
        >>> result = probe(model, photos, ["0", "1"], preprocessing=RAW, twins=2)
        >>> [layer.layout.kind for layer in result.layers]
        ['maps', 'maps']

    Args:
        model: any module that takes (N, 3, H, W). It is left as it was: weights, mode, hooks.
        photos: training photos: files, folders, zips, patterns, a list of `Photo`, or a
            tensor (N, 3, H, W) in [0, 255].
        layers: `named_modules()` paths or glob patterns; `auto` takes the last module at each
            resolution and every k-th transformer block.
        held_out: photos to score; if not given, the last quarter of `photos` is held out.
        preprocessing: size, mean and standard deviation; read from the model if it has a timm
            configuration.
        twins: random twins, at least 2 for a verdict; 0 for none.
        twin_statistics: estimate the twins' batch normalisation statistics on the training photos.
        initialisation: how twins are drawn (`random_twin`): a function that builds the untrained
            model, a law such as `gaussian:fan-in`, or None for the model's own.
        window: side of the window of features that a block of pixels is read from, odd.
        seed: of the twins: twin k has seed `seed` + k.

    Raises:
        LayerError: a layer can't be probed.
        ValueError: too few photos, or an unknown preprocessing.
        PhotoError: a photo can't be read.
    """
    preprocessing = preprocessing or find_preprocessing(model)
    training, held = _photos(photos, held_out, preprocessing.size)
    targets = find_targets(model, layers, preprocessing, training)
    count = len(training) + len(held)
    with progress_bar("photos", count * (twins + 1)) as advance:

        def run(network: nn.Module, controls: bool) -> dict[str, LayerResult]:
            return probe_network(
                network,
                targets,
                preprocessing,
                training,
                held,
                window=window,
                batch_size=batch_size,
                controls=controls,
                on_photos=advance,
            )

        trained = run(model, True)
        drawn, of_twins = [], []
        for index in range(twins):
            inputs = _inputs(training, preprocessing, batch_size) if twin_statistics else None
            drawn.append(random_twin(model, seed + index, inputs, initialisation))
            of_twins.append(run(drawn[-1].model, False))
    reports = _reports(targets, trained, of_twins, training, held)
    mean = training.mean(0, keepdim=True)
    return ProbeResult(
        reports,
        psnr(squared_error(mean.expand_as(held), held).tolist()),
        _record(model, preprocessing, training, held, drawn, window, seed),
        [photo.byte() for photo in held[:6]],
    )


def find_targets(
    model: nn.Module,
    layers: str | Sequence[str],
    preprocessing: Preprocessing,
    photos: Pixels,
) -> list[Target]:
    """The layers to probe, how their features are read and where they lie, checked on two photos.

    Raises:
        LayerError: naming the layer and what to do.
    """
    inputs = preprocessing(photos[:2])
    surveyed = survey(model, inputs) if layers == "auto" else []
    names = choose_layers(model, layers, surveyed)
    with undisturbed(model):
        check_features(model, names, inputs)
        with torch.no_grad():
            outputs = capture(model, names, inputs)
    size = (photos.shape[2], photos.shape[3])
    shapes = {name: tuple(outputs[name].shape[1:]) for name in names}
    layouts = {name: layout_of(name, shape, size, model) for name, shape in shapes.items()}
    placements = _placements(model, layouts, preprocessing, size)
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
    return targets


def _placements(
    model: nn.Module,
    layouts: dict[str, Layout],
    preprocessing: Preprocessing,
    size: tuple[int, int],
) -> dict[str, Placement]:
    grids = {name: layout for name, layout in layouts.items() if layout.grid}
    if not grids:
        return {}

    def features(pixels: Tensor) -> dict[str, Tensor]:
        outputs = capture(model, list(grids), preprocessing(pixels))
        return {name: layout.read(outputs[name]) for name, layout in grids.items()}

    with undisturbed(model), torch.no_grad():
        return measure_placements(features, size)


def list_layers(model: nn.Module, preprocessing: Preprocessing | None = None) -> list[Layer]:
    """The modules of a model that give features, with their shapes for one photo."""
    preprocessing = preprocessing or find_preprocessing(model)
    side = preprocessing.size
    return survey(model, preprocessing(torch.full((1, 3, side, side), 127.0)))


def _photos(photos: Photos, held_out: Photos | None, size: int) -> tuple[Pixels, HeldOut]:
    training = _pixels(photos, size)
    if held_out is not None:
        held = _pixels(held_out, size)
    else:
        held = training[len(training) - len(training) // 4 :]
        training = training[: len(training) - len(held)]
    if len(training) < 5 or len(held) < 2:
        raise ValueError(
            f"`photos`: a probe needs at least 5 photos to fit to and 2 to score, got "
            f"{len(training)} and {len(held)}."
        )
    if training.shape[1:] != held.shape[1:]:
        raise ValueError(
            f"`held_out` must have the size of `photos`, {tuple(training.shape[2:])}, got "
            f"{tuple(held.shape[2:])}."
        )
    return training, held


def _pixels(photos: Photos, size: int) -> Pixels:
    if isinstance(photos, Tensor):
        if photos.dim() != 4 or photos.shape[1] != 3:
            raise ValueError(f"`photos` must be (N, 3, H, W), got {tuple(photos.shape)}.")
        return photos.float()
    if not isinstance(photos, str | Path):
        photos = list(photos)  # type: ignore[assignment]
        if photos and isinstance(photos[0], Photo):
            return torch.stack([photo.pixels for photo in photos])  # type: ignore[union-attr]
    found = open_photos(photos, size)  # type: ignore[arg-type]
    return torch.stack([photo.pixels for photo in found])


def _inputs(photos: Pixels, preprocessing: Preprocessing, batch_size: int) -> list[Tensor]:
    # Batches of 16 or more, so that their statistics are those of the photos.
    return [preprocessing(part) for part in torch.split(photos[:64], max(batch_size, 16))]


def _reports(
    targets: Sequence[Target],
    trained: dict[str, LayerResult],
    of_twins: Sequence[dict[str, LayerResult]],
    training: Pixels,
    held: HeldOut,
) -> list[LayerReport]:
    reports = []
    for target in targets:
        found, stride = trained[target.name], target.stride
        floors = {name: psnr(values) for name, values in found.controls.items()}
        ceiling: list[float] = []
        if target.layout.grid and stride:
            small = squared_error(bicubic(held, target.layout.grid), held).tolist()
            floors = {"bicubic": psnr(small), **floors}
            if basis := block_basis(training, stride, target.layout.channels):
                ceiling = psnr(basis.squared_error(held).tolist())
        if found.oracle:
            ceiling = psnr(found.oracle)
        reports.append(
            LayerReport(
                target.name,
                target.layout,
                stride,
                "vector" if target.placement is None else target.placement.how,
                psnr(found.mse),
                [psnr(twin[target.name].mse) for twin in of_twins],
                floors,
                ceiling,
                found.ridge,
                found.pictures,
            )
        )
    return reports


def _record(
    model: nn.Module,
    preprocessing: Preprocessing,
    training: Pixels,
    held: HeldOut,
    twins: Sequence[Twin],
    window: int,
    seed: int,
) -> dict[str, Any]:
    hashes = {
        name: fingerprint(Photo("", "", photo).sha256 for photo in photos)
        for name, photos in (("training", training), ("held_out", held))
    }
    return {
        "model": type(model).__name__,
        "preprocessing": asdict(preprocessing),
        "photos": {"training": len(training), "held_out": len(held), "sha256": hashes},
        "twins": [
            {"seed": t.seed, "how": t.how, "redrawn": list(t.redrawn), "statistics": t.statistics}
            for t in twins
        ],
        "window": window,
        "seed": seed,
        "convention": asdict(COLOUR),
        "environment": environment(),
    }
