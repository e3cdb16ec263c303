"""The question of this package, asked of any model: what does a layer remember of the photo?"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from preimage.data.progress import progress_bar
from preimage.data.records import environment
from preimage.decoders.evaluate import bicubic
from preimage.probing.controls import block_basis
from preimage.probing.linear_rung import Experiment, LayerResult, probe_network, squared_error
from preimage.probing.photos import Photos, open_probe_photos
from preimage.probing.preprocessing import Preprocessing, find_preprocessing
from preimage.probing.result import LayerReport, ProbeResult, psnr
from preimage.probing.targets import find_targets
from preimage.probing.twins import Initialisation, Twin, random_twin
from preimage.scores.metrics import COLOUR


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
    opened = open_probe_photos(photos, held_out, preprocessing.size)
    targets = find_targets(model, layers, preprocessing, opened.training)
    experiment = Experiment(targets, preprocessing, opened, window, batch_size)
    count = len(opened.training) + len(opened.held_out)
    with progress_bar("photos", count * (twins + 1)) as advance:
        trained = probe_network(model, experiment, controls=True, on_photos=advance)
        drawn, of_twins = [], []
        for index in range(twins):
            inputs = _inputs(experiment) if twin_statistics else None
            drawn.append(random_twin(model, seed + index, inputs, initialisation))
            of_twins.append(probe_network(drawn[-1].model, experiment, on_photos=advance))
    mean = opened.training.mean(0, keepdim=True)
    return ProbeResult(
        _reports(experiment, trained, of_twins),
        psnr(squared_error(mean.expand_as(opened.held_out), opened.held_out).tolist()),
        _record(model, experiment, drawn, seed),
        [photo.byte() for photo in opened.held_out[:6]],
    )


def _inputs(experiment: Experiment) -> list[Tensor]:
    # Batches of 16 or more, so that their statistics are those of the photos.
    parts = torch.split(experiment.photos.training[:64], max(experiment.batch_size, 16))
    return [experiment.preprocessing(part) for part in parts]


def _reports(
    experiment: Experiment,
    trained: dict[str, LayerResult],
    of_twins: Sequence[dict[str, LayerResult]],
) -> list[LayerReport]:
    training, held = experiment.photos.training, experiment.photos.held_out
    reports = []
    for target in experiment.targets:
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
    model: nn.Module, experiment: Experiment, twins: Sequence[Twin], seed: int
) -> dict[str, Any]:
    return {
        "model": type(model).__name__,
        "preprocessing": asdict(experiment.preprocessing),
        "photos": experiment.photos.record(),
        "twins": [
            {"seed": t.seed, "how": t.how, "redrawn": list(t.redrawn), "statistics": t.statistics}
            for t in twins
        ],
        "window": experiment.window,
        "seed": seed,
        "convention": asdict(COLOUR),
        "environment": environment(),
    }
