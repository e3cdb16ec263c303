"""From errors of networks to a report per layer, floors and ceilings beside it."""

from collections.abc import Mapping, Sequence

from preimage.decoders.evaluate import bicubic
from preimage.probing.bands import BandReport
from preimage.probing.controls import block_basis, psnr
from preimage.probing.correlations import CorrelationReport
from preimage.probing.layer_report import LayerReport
from preimage.probing.linear_rung import Experiment, LayerResult, squared_error
from preimage.probing.photos import ProbePhotos
from preimage.probing.rung_report import rung_report
from preimage.probing.rungs import RungResult
from preimage.probing.targets import Target


def layer_reports(
    experiment: Experiment,
    trained: Mapping[str, LayerResult],
    twins: Sequence[Mapping[str, LayerResult]],
    rungs: Mapping[str, Sequence[Mapping[str, RungResult]]] | None = None,
) -> list[LayerReport]:
    """One report per layer, in the experiment's order.

    Args:
        trained: layer → errors of the network as it was given.
        twins: the same of each random twin.
        rungs: costly rung → of the network, then of its first twins.
    """
    reports = []
    for target in experiment.targets:
        found = trained[target.name]
        of_twins = [twin[target.name] for twin in twins]
        floors, ceiling = _bounds(target, experiment, found)
        reports.append(
            LayerReport(
                name=target.name,
                layout=target.layout,
                stride=target.stride,
                how="vector" if target.placement is None else target.placement.how,
                trained=psnr(found.mse),
                twins=[psnr(twin.mse) for twin in of_twins],
                floors=floors,
                ceiling=ceiling,
                ridge=found.ridge,
                pictures=found.pictures,
                twin_pictures=of_twins[0].pictures if of_twins else [],
                other=psnr(found.other),
                other_twins=[psnr(twin.other) for twin in of_twins if twin.other],
                leakage=found.leakage,
                twin_leakage=[twin.leakage for twin in of_twins if twin.leakage],
                bands=_bands(found, of_twins),
                correlations=_correlations(found, of_twins),
                rungs={
                    rung: rung_report(rung, psnr(found.mse), [part[target.name] for part in parts])
                    for rung, parts in (rungs or {}).items()
                    if target.name in parts[0]
                },
            )
        )
    return reports


def _bands(found: LayerResult, twins: Sequence[LayerResult]) -> BandReport | None:
    if found.bands is None:
        return None
    return BandReport(found.bands, [twin.bands for twin in twins if twin.bands])


def _correlations(found: LayerResult, twins: Sequence[LayerResult]) -> CorrelationReport | None:
    if found.correlations is None:
        return None
    of_twins = [twin.correlations for twin in twins if twin.correlations]
    return CorrelationReport(found.correlations, of_twins)


def _bounds(
    target: Target, experiment: Experiment, found: LayerResult
) -> tuple[dict[str, list[float]], list[float]]:
    """Floors by name and the ceiling, dB per held-out photo."""
    photos = experiment.photos
    floors = {name: psnr(values) for name, values in found.controls.items()}
    if not (target.layout.grid and target.stride):
        return floors, psnr(found.oracle)
    small = squared_error(bicubic(photos.held_out, target.layout.grid), photos.held_out)
    channels = min(target.layout.channels, experiment.components or target.layout.channels)
    basis = block_basis(photos.training, target.stride, channels * experiment.window**2)
    ceiling = psnr(basis.squared_error(photos.held_out).tolist()) if basis else []
    return {"bicubic": psnr(small.tolist()), **floors}, ceiling


def mean_image(photos: ProbePhotos) -> tuple[list[float], list[float]]:
    """PSNR of the training photos' mean image on each held-out photo, and on each other one."""
    mean = photos.training.mean(0, keepdim=True)
    held, other = (
        [] if part is None else psnr(squared_error(mean.expand_as(part), part).tolist())
        for part in (photos.held_out, photos.other)
    )
    return held, other
