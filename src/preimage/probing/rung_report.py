"""What a costly rung found in a layer, beside the linear rung on the same photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from torch import Tensor

from preimage.data.tables import text_table
from preimage.notebook.brief import Brief
from preimage.probing.controls import psnr
from preimage.probing.rungs import RungResult
from preimage.probing.verdict import Verdict, over_draws
from preimage.scores.statistics import Interval, mean_interval


@dataclass(frozen=True, repr=False)
class RungReport(Brief):
    """One costly rung of one layer: values are PSNR in dB per photo, unless they say otherwise.

    Args:
        rung: `dcn` or `inversion`.
        trained: of the network as it was given, on the first held-out photos or all.
        linear: of the linear rung on the same photos, which is fitted to all training photos.
        twins: of each random twin that went through this rung.
        feature_error: per photo, ‖f(x̂) − f(x)‖ / ‖f(x) − mean f‖ of the network.
        twin_feature_error: the same of each twin.
        seconds: that the network's layer took.
        notes: the DCN's `gain`; the inversion's `total variation` and `evaluations`.
        pictures: what comes back of the first photos, RGB in [0, 255].
        twin_pictures: the same from the first twin.
    """

    rung: str
    trained: list[float]
    linear: list[float]
    twins: list[list[float]]
    feature_error: list[float]
    twin_feature_error: list[list[float]]
    seconds: float
    notes: Mapping[str, float]
    pictures: list[Tensor]
    twin_pictures: list[Tensor]

    @property
    def psnr(self) -> Interval:
        """Mean over photos with its 95 % interval."""
        return mean_interval(self.trained)

    @property
    def above_linear(self) -> Interval:
        """This rung minus the linear one, paired over photos, in dB."""
        return mean_interval([a - b for a, b in zip(self.trained, self.linear, strict=True)])

    def verdict(self, layers: int = 1) -> Verdict | None:
        """Trained minus twins, at a confidence of 1 − 0.05 / `layers`; None without twins.

        With a single twin its `word` is `not decided`: one draw shows no scatter.
        """
        if not self.twins:
            return None
        of_twins = [fmean(values) for values in zip(*self.twins, strict=True)]
        pairs = zip(self.trained, of_twins, strict=True)
        draws = [fmean(self.trained) - fmean(values) for values in self.twins]
        over_photos = mean_interval([a - b for a, b in pairs])
        return Verdict(over_photos, over_draws(draws), 1 - 0.05 / layers)

    def word(self, layers: int = 1) -> str | None:
        """The verdict in words, which say so where it stands over photos alone."""
        verdict = self.verdict(layers)
        if verdict is None:
            return None
        if len(self.twins) > 1:
            return verdict.word
        return f"{verdict.photos_word}; over draws not decided (one twin)"

    def row(self, layer: str, layers: int) -> dict[str, Any]:
        """The numbers of a table."""
        verdict, twins = self.verdict(layers), self.twins
        return {
            "layer": layer,
            "rung": self.rung,
            "photos": len(self.trained),
            "psnr": self.psnr.mean,
            "psnr_half_width": self.psnr.half_width,
            "linear_psnr": fmean(self.linear),
            "above_linear": self.above_linear.mean,
            "above_linear_half_width": self.above_linear.half_width,
            "twin_psnr": fmean(fmean(values) for values in twins) if twins else None,
            "difference": None if verdict is None else verdict.over_photos.mean,
            "verdict": self.word(layers),
            "feature_error": fmean(self.feature_error),
            "twin_feature_error": fmean(fmean(values) for values in self.twin_feature_error)
            if twins
            else None,
            "seconds": self.seconds,
            **self.notes,
        }


def rung_report(rung: str, linear: Sequence[float], found: Sequence[RungResult]) -> RungReport:
    """The report of one layer.

    Args:
        linear: PSNR of the linear rung on all held-out photos.
        found: of the trained network, then of its twins.
    """
    trained, *twins = found
    return RungReport(
        rung=rung,
        trained=psnr(trained.mse),
        linear=list(linear[: len(trained.mse)]),
        twins=[psnr(twin.mse) for twin in twins],
        feature_error=trained.feature_error,
        twin_feature_error=[twin.feature_error for twin in twins],
        seconds=trained.seconds,
        notes=trained.notes,
        pictures=trained.pictures,
        twin_pictures=twins[0].pictures if twins else [],
    )


def rung_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of costly rungs as text, a blank line before it; nothing without rows."""
    if not rows:
        return ""
    heading = ("layer", "rung", "PSNR (dB)", "above linear", "twin", "feature error", "verdict")
    lines = [
        (
            row["layer"],
            row["rung"],
            f"{row['psnr']:.2f} ± {row['psnr_half_width']:.2f}",
            f"{row['above_linear']:+.2f} ± {row['above_linear_half_width']:.2f}",
            "" if row["twin_psnr"] is None else f"{row['twin_psnr']:.2f}",
            f"{row['feature_error']:.3f}",
            row["verdict"] or "",
        )
        for row in rows
    ]
    return "\n\n" + text_table(heading, lines)
