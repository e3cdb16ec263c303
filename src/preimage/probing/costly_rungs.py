"""The costly rungs of one network, DCN and inversion, layer by layer."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from preimage.data.progress import progress_bar
from preimage.probing.capture import capture, undisturbed
from preimage.probing.dcn import train_dcn
from preimage.probing.fourier import fourier_basis
from preimage.probing.inversion import (
    Problem,
    check_gradient,
    choose_total_variation,
    feature_error,
    invert,
)
from preimage.probing.linear import LinearDecoder
from preimage.probing.linear_rung import Decoder, Experiment, fit_decoders, squared_error
from preimage.probing.networks import PICTURES, TwinOptions, twin_of
from preimage.probing.photos import ProbePhotos
from preimage.probing.rungs import DcnOptions, InversionOptions, RungResult
from preimage.probing.targets import Target
from preimage.probing.whitening import whitening

Rung = DcnOptions | InversionOptions
_HELD_BACK = 10  # one training photo in so many weighs what a DCN adds
_WHITENING_PHOTOS = 64
_log = logging.getLogger(__name__)


class CostlyRungs:
    """The DCN and the inversion rung of one network, which is drawn and fitted when first asked.

    Args:
        model: the trained network.
        index: of a twin; None for the trained network itself.
        options: how twins are drawn.
    """

    def __init__(
        self, model: nn.Module, experiment: Experiment, index: int | None, options: TwinOptions
    ) -> None:
        photos = experiment.photos
        weighed = torch.arange(len(photos.training)) % _HELD_BACK == 1
        self.held_back = photos.training[weighed].float()
        self.photos = ProbePhotos(photos.training[~weighed].float(), photos.held_out.float())
        self.experiment = replace(experiment, photos=self.photos)
        self._original, self._model, self.index, self.options = model, model, index, options
        self._whole = experiment
        self._decoders: dict[str, Decoder] = {}

    def run(self, target: Target, options: Rung) -> RungResult | None:
        """A rung of a layer; None where it can't be taken, which is logged."""
        if isinstance(options, DcnOptions) and target.placement is None:
            _log.warning(
                "%s: no DCN rung, since a vector has no positions for a DCN to unpool.", target.name
            )
            return None
        self._fit()
        start = time.perf_counter()
        with _without_parameters(self._model), undisturbed(self._model):
            features = _Layer(self._model, self.experiment, target)
            decoder = self._decoders[target.name]
            if isinstance(options, DcnOptions):
                assert isinstance(decoder, LinearDecoder)
                result = self._dcn(features, decoder, options)
            else:
                result = self._inversion(features, decoder, options)
        result.seconds = time.perf_counter() - start
        return result

    def _fit(self) -> None:
        if self._decoders:
            return
        if self.index is not None:
            self._model = twin_of(self._original, self._whole, self.index, self.options).model
        self._decoders = fit_decoders(self._model, self.experiment)

    def _dcn(self, layer: "_Layer", linear: LinearDecoder, options: DcnOptions) -> RungResult:
        with progress_bar(f"dcn {layer.name}", options.steps) as advance:
            decoder = train_dcn(
                layer.plain, linear, self.photos.training, self.held_back, options, advance
            )
        result = RungResult(notes={"gain": decoder.gain})
        for part in torch.split(self.photos.held_out, self.experiment.batch_size):
            maps = layer.plain(part)
            with torch.no_grad():
                _note(result, layer, decoder(maps, self.photos.size), part, maps)
        return result

    def _inversion(
        self, layer: "_Layer", decoder: Decoder, options: InversionOptions
    ) -> RungResult:
        photos = self.photos.held_out[: options.photos]
        check_gradient(layer.name, layer, photos[:1])
        some = self.photos.training[:_WHITENING_PHOTOS]
        weights, basis = whitening(layer.plain(some), options.floor), fourier_basis(some)

        def start(pixels: Tensor) -> Tensor:
            if options.start == "grey":
                return torch.full_like(pixels, 127.5)
            return decoder(layer.plain(pixels), self.photos.size).clamp(0, 255)

        def problem(pixels: Tensor, total_variation: float) -> Problem:
            return Problem(layer, layer.plain(pixels), weights, basis, total_variation)

        chosen = options.total_variation
        if chosen is None:
            known = some[: options.batch_size]
            chosen = choose_total_variation(partial(problem, known), start(known), known, options)
        result = RungResult(notes={"total variation": chosen, "evaluations": 0.0})
        with progress_bar(f"inversion {layer.name}", len(photos)) as advance:
            for part in torch.split(photos, options.batch_size):
                found = invert(problem(part, chosen), start(part), options)
                result.notes["evaluations"] += found.evaluations * len(part) / len(photos)
                _note(result, layer, found.pixels, part, layer.plain(part))
                advance(len(part))
        return result


class _Layer:
    """Pixels in [0, 255] → a layer's features, no further into the model; gradients flow."""

    def __init__(self, model: nn.Module, experiment: Experiment, target: Target) -> None:
        self.name, self._layout = target.name, target.layout
        self._model, self._preprocessing = model, experiment.preprocessing
        self._selectors = experiment.selectors
        few = experiment.photos.training[:_WHITENING_PHOTOS]
        self.mean = self.plain(few).movedim(1, -1).flatten(0, -2).mean(0)

    def __call__(self, pixels: Tensor) -> Tensor:
        inputs = self._preprocessing(pixels)
        outputs = capture(self._model, [self.name], inputs, self._selectors, stop=True)
        return self._layout.read(outputs[self.name]).float()

    @torch.no_grad()
    def plain(self, pixels: Tensor) -> Tensor:
        """Without gradients, in parts."""
        return torch.cat([self(part) for part in torch.split(pixels, 16)])


def _note(
    result: RungResult, layer: _Layer, output: Tensor, pixels: Tensor, wanted: Tensor
) -> None:
    output = output.clamp(0, 255)
    result.mse += squared_error(output, pixels).tolist()
    again = layer.plain(output)
    result.feature_error += feature_error(again, wanted, layer.mean).tolist()
    result.pictures += output[: max(PICTURES - len(result.pictures), 0)].round().byte()


@contextmanager
def _without_parameters(model: nn.Module) -> Iterator[None]:
    """No gradients for the weights: a descent on the picture has no use for them."""
    asked = [p for p in model.parameters() if p.requires_grad]
    for parameter in asked:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in asked:
            parameter.requires_grad_(True)
