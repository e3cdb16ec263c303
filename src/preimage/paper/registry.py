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
    """A figure, a table or a section of the paper; each module tests claims of it."""

    title: str
    modules: tuple[str, ...]


FIGURES = {
    "fig1": Figure("Figure 1: the Conv5-DeConv5 network", ("architecture",)),
    "table1": Figure("Table 1: the dimension of each layer", ("table1",)),
    "fig2a": Figure("Figure 2a: training on random and on pre-trained features", ("convergence",)),
    "fig2b": Figure("Figure 2b: training, by the scale of the weights", ("weight_laws",)),
    "fig2c": Figure("Figure 2c: training, by the law of the weights", ("weight_laws",)),
    "fig3a": Figure("Figure 3a: reconstruction error by layer", ("depth",)),
    "fig3b": Figure("Figure 3b: reconstruction error, VGG16 and AlexNet", ("generalisation",)),
    "fig4": Figure("Figure 4: what comes back from each layer", ("pictures",)),
    "fig5": Figure("Figure 5: random networks by width, in pictures", ("typical",)),
    "fig6": Figure("Figure 6: what comes back, by the law of the weights", ("pictures",)),
    "fig7": Figure("Figure 7: random networks by layer", ("layers",)),
    "fig8": Figure("Figure 8: SSIM by width", ("width",)),
    "fig9": Figure("Figure 9: Pearson's r by width", ("width",)),
    "fig10": Figure("Figure 10: SSIM by kernel size", ("kernel_size",)),
    "theory": Figure(
        "Section 5: the theorems against random networks", ("angle_theorems", "kernel_theorem")
    ),
}


def run(options: "FigureOptions") -> "list[Finding]":
    """The findings of `options.figure`.

    Raises:
        Incomplete: it was stopped, or parts of it failed.
        ValueError: no such figure, or the options do not fit it.
    """
    return [finding for module in _modules(options) for finding in module.run(options)]


def cost(options: "FigureOptions") -> str:
    """What `run` would compute and how long it would take, in words.

    Raises:
        ValueError: no such figure, or the options do not fit it.
    """
    return "\n".join(module.cost(options) for module in _modules(options))


def _modules(options: "FigureOptions") -> list[ModuleType]:
    if options.figure not in FIGURES:
        raise ValueError(f"`figure` must be one of {', '.join(FIGURES)}, got {options.figure!r}.")
    names = FIGURES[options.figure].modules
    return [import_module(f"preimage.paper.{name}") for name in names]
