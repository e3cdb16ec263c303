"""The list of figures: what each is called, and the modules that make it.

Nothing here imports torch: the modules are imported when a figure is asked for.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from preimage.paper.finding import Finding
    from preimage.paper.options import FigureOptions


class Figure(NamedTuple):
    """A figure, a table or a section of the paper; each module tests claims of it.

    Args:
        trains: whether decoders are trained for it, which takes photos to train on.
    """

    title: str
    modules: tuple[str, ...]
    trains: bool = False


FIGURES = {
    "fig1": Figure("Figure 1: the Conv5-DeConv5 network", ("architecture",)),
    "table1": Figure("Table 1: the dimension of each layer", ("table1",)),
    "fig2a": Figure(
        "Figure 2a: training on random and on pre-trained features", ("convergence",), True
    ),
    "fig2b": Figure("Figure 2b: training, by the scale of the weights", ("weight_laws",), True),
    "fig2c": Figure("Figure 2c: training, by the law of the weights", ("weight_laws",), True),
    "fig3a": Figure("Figure 3a: reconstruction error by layer", ("depth",), True),
    "fig3b": Figure(
        "Figure 3b: reconstruction error, VGG16 and AlexNet", ("generalisation",), True
    ),
    "fig4": Figure("Figure 4: what comes back from each layer", ("pictures",), True),
    "fig5": Figure("Figure 5: random networks by width, in pictures", ("typical",)),
    "fig6": Figure("Figure 6: what comes back, by the law of the weights", ("pictures",), True),
    "fig7": Figure("Figure 7: random networks by layer", ("layers",)),
    "fig8": Figure("Figure 8: SSIM by width", ("width",)),
    "fig9": Figure("Figure 9: Pearson's r by width", ("width",)),
    "fig10": Figure("Figure 10: SSIM by kernel size", ("kernel_size",)),
    "theory": Figure(
        "Section 5: the theorems against random networks", ("angle_theorems", "kernel_theorem")
    ),
}


def run(options: "FigureOptions") -> "list[Finding]":
    """The findings of `options.figure`, whose verdicts are corrected for their number.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
        ValueError: no such figure, or the options do not fit it.
    """
    from preimage.paper.finding import Incomplete, decided_together

    findings: list[Finding] = []
    for module in _modules(options):
        try:
            findings += module.run(options)
        except Incomplete as stopped:
            findings += stopped.findings
            raise Incomplete(decided_together(findings), str(stopped)) from None
    return decided_together(findings)


def cost(options: "FigureOptions") -> str:
    """What `run` would compute and how long it would take; what would decide what is open.

    Raises:
        ValueError: no such figure, or the options do not fit it.
    """
    from preimage.paper.kept import effort

    lines = [*(module.cost(options) for module in _modules(options)), effort(options.figure)]
    return "\n".join(line for line in lines if line)


def _modules(options: "FigureOptions") -> list[ModuleType]:
    if options.figure not in FIGURES:
        raise ValueError(f"`figure` must be one of {', '.join(FIGURES)}, got {options.figure!r}.")
    names = FIGURES[options.figure].modules
    return [import_module(f"preimage.paper.{name}") for name in names]
