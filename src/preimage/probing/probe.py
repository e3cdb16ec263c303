"""The question of this package, asked of any model: what does a layer remember of the photo?"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from torch import nn

from preimage.data.each_photo import Interrupted
from preimage.data.photos import Photos
from preimage.data.progress import progress_bar
from preimage.data.records import environment
from preimage.probing.capture import Selector
from preimage.probing.climb import Climb, Found, climb, costly
from preimage.probing.costly_rungs import Rung
from preimage.probing.enough_memory import require_photos, require_probe
from preimage.probing.given_model import given_model
from preimage.probing.infinite_width import InfiniteWidth, require_line
from preimage.probing.infinite_width import infinite_width as layers_at_infinite_width
from preimage.probing.linear_rung import Experiment
from preimage.probing.networks import (
    PICTURES,
    NetworkResult,
    TwinOptions,
    every_network,
    twin_of,
)
from preimage.probing.photos import open_probe_photos
from preimage.probing.preprocessing import Preprocessing
from preimage.probing.reports import layer_reports, mean_image
from preimage.probing.result import ProbeResult
from preimage.probing.rungs import DcnOptions, InversionOptions
from preimage.probing.settings import settings
from preimage.probing.store import Store
from preimage.probing.targets import find_targets
from preimage.probing.twins import Initialisation
from preimage.retention.layer import KernelOptions
from preimage.scores.metrics import COLOUR


def probe(
    model: nn.Module,
    photos: Photos,
    layers: str | Sequence[str] = "auto",
    *,
    selectors: Mapping[str, Selector] | None = None,
    held_out: Photos | None = None,
    other: Photos | None = None,
    preprocessing: Preprocessing | None = None,
    twins: int = 5,
    twin_statistics: bool = True,
    initialisation: Initialisation = None,
    window: int = 1,
    positions: int | None = None,
    components: int | None = None,
    leakage: bool = False,
    bands: bool = False,
    rungs: Sequence[str] = ("linear",),
    dcn: DcnOptions | None = None,
    inversion: InversionOptions | None = None,
    costly_twins: int = 1,
    infinite_width: KernelOptions | None = None,
    batch_size: int = 8,
    seed: int = 0,
    out: str | Path | None = None,
) -> ProbeResult:
    """What layers of a model remember of photos, against the same network untrained.

    A linear decoder is fitted to each layer's features on training photos and scored on others; the
    same for random twins of the model, whose weights are drawn again. Pixels are compared after the
    resize and crop, before the model's normalisation.

        >>> import torch
        >>> from preimage.probing import RAW, probe
        >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 48, 4, stride=4), torch.nn.ReLU())
        >>> photos = 255 * torch.rand(20, 3, 24, 32, generator=torch.Generator().manual_seed(0))
        >>> result = probe(model, photos, ["0", "1"], preprocessing=RAW, twins=2)
        >>> [layer.layout.kind for layer in result.layers]
        ['maps', 'maps']

    Args:
        model: any module that takes (N, 3, H, W). It is left as it was: weights, mode, hooks. A
            `Network` has its operations as layers.
        photos: training photos, as in `preimage.load_photos`: files, folders, zips, patterns,
            `Photo` objects, PIL images, arrays or tensors.
        layers: `named_modules()` paths or glob patterns; `auto` takes the last module at each
            resolution and every k-th transformer block.
        selectors: layer → function that takes one tensor out of its output, for layers that give
            several; the first one if not given.
        held_out: photos to score; if not given, the last quarter of `photos` is held out.
        other: photos of another domain, scored by the same decoders: what a decoder's prior adds
            on photos like the training ones, it does not add there.
        preprocessing: size, mean and standard deviation; read from the model if it has a timm
            configuration.
        twins: random twins, at least 2 for a verdict; 0 for none.
        twin_statistics: estimate the twins' batch normalisation statistics on the training photos.
        initialisation: how twins are drawn (`random_twin`): a function that builds the untrained
            model, a law such as `gaussian:fan-in`, or None for the model's own.
        window: side of the window of features that a block of pixels is read from, odd.
        positions: decoders are fitted at so many random positions of each photo; None takes all.
        components: of each layer's channels only so many principal components are read, found on
            the first 8 photos: for windows of wide layers. None reads the channels.
        leakage: compute leakage curves too (`preimage.probing.leakage`).
        bands: split the variance that is retained by spatial frequency, colour
            (`preimage.probing.bands`) and component (`preimage.probing.correlations`).
        rungs: `linear`, and besides it `dcn` (a decoder trained on the layer's features) and
            `inversion` (descent on the picture), which take minutes per layer.
        dcn: how DCNs are trained.
        inversion: how pictures are sought.
        costly_twins: the first twins that go through these two rungs too.
        infinite_width: where the line at infinite width is computed, too, with the network and its
            twins beside it at the line's positions (`preimage.probing.infinite_width`). Of a
            `Network` that `build` makes of a description, or vgg16 and alexnet by `open_model`.
        seed: of the twins: twin k has seed `seed` + k.
        out: folder in which each network's numbers are kept as it is finished. The same call again
            computes what is missing and ends with the same bits.

    Raises:
        LayerError: a layer can't be probed.
        ValueError: too few photos, an unknown preprocessing, or a folder of other settings.
        PhotoError: a photo can't be read.
        Interrupted: Ctrl-C came; `results` is the result of the network and the twins so far.
    """
    given, preprocessing = given_model(model, preprocessing)
    model, initialisation = given.model, initialisation or given.make
    if isinstance(photos, str | Path):  # files, which are resized
        require_photos(model, (preprocessing.size, preprocessing.size), batch_size)
    opened = open_probe_photos(photos, held_out, preprocessing.size, other)
    targets = find_targets(model, layers, preprocessing, opened.training, selectors)
    form = window, batch_size, positions, components
    experiment = Experiment(targets, preprocessing, opened, *form, leakage, bands, selectors)
    require_probe(experiment)
    if infinite_width:
        require_line(model, experiment, infinite_width)
    options = TwinOptions(seed, initialisation, twin_statistics)
    what = Climb(costly(rungs, dcn, inversion), min(costly_twins, twins))
    store = Store(out)
    with store.claimed(settings(model, experiment, options)):
        networks: list[NetworkResult] = []
        try:
            with progress_bar("photos", len(opened) * (1 + twins)) as advance:
                for network in every_network(model, experiment, twins, options, store, advance):
                    networks.append(network)
            climbed = climb(model, experiment, what, options, store)
            line = _line(model, experiment, twins, options, infinite_width)
        except KeyboardInterrupt as stop:
            if type(stop) is not KeyboardInterrupt or not networks:
                raise
            found = _result(given.name, experiment, networks, {}, window, seed)
            said = f"the network and {len(networks) - 1} of {twins} twins are finished"
            raise Interrupted(found, said) from None
    found = _result(given.name, experiment, networks, what.rungs, window, seed, climbed)
    return replace(found, infinite_width=line)


def _line(
    model: nn.Module,
    experiment: Experiment,
    twins: int,
    options: TwinOptions,
    kernels: KernelOptions | None,
) -> dict[str, InfiniteWidth]:
    if kernels is None:
        return {}
    drawn = [twin_of(model, experiment, index, options).model for index in range(twins)]
    return layers_at_infinite_width(model, drawn, experiment, kernels)


def _result(
    name: str,
    experiment: Experiment,
    networks: Sequence[NetworkResult],
    rungs: Mapping[str, Rung],
    window: int,
    seed: int,
    climbed: Mapping[str, Sequence[Found]] | None = None,
) -> ProbeResult:
    """What these networks say, the trained one first."""
    (trained, *drawn), opened = networks, experiment.photos
    record = {
        "model": name,
        "preprocessing": asdict(experiment.preprocessing),
        "photos": opened.record(),
        "twins": [twin.made for twin in drawn],
        "window": window,
        "rungs": {name: asdict(chosen) for name, chosen in rungs.items()},
        "seed": seed,
        "convention": asdict(COLOUR),
        "environment": environment(),
    }
    reports = layer_reports(experiment, trained.layers, [twin.layers for twin in drawn], climbed)
    held, elsewhere = mean_image(opened)
    pictures = [photo.byte() for photo in opened.held_out[:PICTURES]]
    return ProbeResult(reports, held, record, pictures, elsewhere)
