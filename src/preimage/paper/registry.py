"""The list of figures: what each is called, and the modules that make it.

Nothing here imports torch: the modules are imported when a figure is asked for.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from preimage.data.cost import Sum
    from preimage.paper.finding import Finding, Findings
    from preimage.paper.options import FigureOptions


class Figure(NamedTuple):
    """A figure, a table or a section of the paper; each module tests claims of it.

    Args:
        trains: whether decoders are trained for it, which takes photos to train on.
        note: what the names in it mean, for its page.
    """

    title: str
    modules: tuple[str, ...]
    trains: bool = False
    note: str = ""


_LOSS = "A loss is the squared error per value of a pixel, in squared grey levels. "
_ENCODERS = (
    "Random and trained CNNs differ in their weights alone; both use ReLU. Least squares is the "
    "best linear decoder of 3×3 windows of features, in closed form. "
)
_WIDTH = (
    "(a) ends in a random convolution, whose sign is left to chance, hence |r|; (b) in the mean "
    "over channels. Zeros and nearest are the unpoolings. The dashed line is the limit of infinite "
    "width, computed without any network."
)
FIGURES = {
    "fig1": Figure("Figure 1: the Conv5-DeConv5 network", ("architecture",)),
    "table1": Figure("Table 1: the dimension of each layer", ("table1",)),
    "fig2a": Figure(
        "Figure 2a: training on random and on pre-trained features",
        ("convergence",),
        trains=True,
        note=_LOSS + _ENCODERS,
    ),
    "fig2b": Figure(
        "Figure 2b: training, by the scale of the weights",
        ("weight_laws",),
        trains=True,
        note=_LOSS
        + "Without biases a scale σ of the weights only scales the features: with features divided "
        "by one measured constant, the curves of all σ are one curve to rounding. What differs "
        "without is how well the DCN's own first weights fit features of that size.",
    ),
    "fig2c": Figure(
        "Figure 2c: training, by the law of the weights",
        ("weight_laws",),
        trains=True,
        note=_LOSS
        + "The paper's four laws differ in their standard deviations (0.015, 0.023, 0.027, 0.021), "
        "and so in the scale of the features; divided by one constant, in their shapes alone.",
    ),
    "fig3a": Figure(
        "Figure 3a: reconstruction error by layer", ("depth",), trains=True, note=_LOSS + _ENCODERS
    ),
    "fig3b": Figure(
        "Figure 3b: reconstruction error, VGG16 and AlexNet",
        ("generalisation",),
        trains=True,
        note=_ENCODERS,
    ),
    "fig4": Figure(
        "Figure 4: what comes back from each layer",
        ("layer_pictures",),
        trains=True,
        note="Trainings see crops that hold the layer's receptive field, where the photos in "
        "memory do; decoders of Conv4 are trained for twice, those of Conv5 for three times the "
        "steps. Least squares needs no training: it is the best linear decoder of 3×3 windows of "
        "features.",
    ),
    "fig5": Figure(
        "Figure 5: random networks by width, in pictures",
        ("typical",),
        note="Each picture is of the network whose SSIM is nearest to the mean over networks.",
    ),
    "fig6": Figure(
        "Figure 6: what comes back, by the law of the weights", ("law_pictures",), trains=True
    ),
    "fig7": Figure(
        "Figure 7: random networks by layer",
        ("layers",),
        note="The last convolution is random and leaves the sign of r to chance, hence |r|; a "
        "picture with r below 0 is a negative. Zeros and nearest are the unpoolings. Simplified: "
        "the image, averaged down to the layer's resolution, goes straight to block Conv k.",
    ),
    "fig8": Figure(
        "Figure 8: SSIM by width",
        ("width",),
        note=_WIDTH + " Why SSIM falls with zeros in (a): they print a grid; averaged over 2×2 "
        "pixels, SSIM is three to eight times as high and no longer falls (docs/seeing.md).",
    ),
    "fig9": Figure("Figure 9: Pearson's r by width", ("width",), note=_WIDTH),
    "fig10": Figure("Figure 10: SSIM by kernel size", ("kernel_size",)),
    "theory": Figure(
        "Section 5: the theorems against random networks",
        ("angle_theorems", "kernel_theorem"),
        note="f is a network's output, f* its limit of infinite width, Θ the angle between them, Φ "
        "that between f* and the photo, N the width; bounds hold with probability 1 − δ. K₁ and K₂ "
        "are moments of the law of the weights, K_eff the part of K₁ that turns the output; Π is "
        "the product of 1 + K/N over the convolutions. The χ² mixture is no bound: it predicts the "
        "quantile, and may lie on either side of it. Theorem V is ours; docs/theory.md proves it.",
    ),
}


def run(options: "FigureOptions") -> "Findings":
    """The findings of `options.figure`, whose verdicts are corrected for their number.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
        ValueError: no such figure, or the options do not fit it.
    """
    from preimage.paper.finding import Findings, Incomplete, decided_together

    findings: list[Finding] = []
    for module in _modules(options.figure):
        try:
            findings += module.run(options)
        except Incomplete as stopped:
            findings += stopped.findings
            raise Incomplete(decided_together(findings), str(stopped)) from None
    return Findings(decided_together(findings))


def cost(options: "FigureOptions") -> "Sum":
    """What `run` would compute and what that takes; as text, also what would decide what is open.

    Raises:
        ValueError: no such figure, or the options do not fit it.
    """
    from preimage.data.cost import Sum
    from preimage.paper.kept import effort

    costs = [module.cost(options) for module in _modules(options.figure)]
    return Sum(costs, note=effort(options.figure))


def sweep_folder(figure: str) -> str | None:
    """The folder of the sweep behind a figure, which several may share; None if there is none."""
    folders = (getattr(module, "FOLDER", None) for module in _modules(figure))
    return next((str(folder) for folder in folders if folder), None)


def _modules(figure: str) -> list[ModuleType]:
    if figure not in FIGURES:
        raise ValueError(f"`figure` must be one of {', '.join(FIGURES)}, got {figure!r}.")
    names = FIGURES[figure].modules
    return [import_module(f"preimage.paper.{name}") for name in names]
