"""The figures of Section 4 at a size that takes seconds: tiny photos, narrow networks, threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from unchecked import unchecked

from preimage.paper import figure_sweep, kernel_size, layers, registry, width
from preimage.paper.finding import Finding
from preimage.paper.options import FigureOptions
from preimage.sweeps import run as run_module
from preimage.sweeps.engine import Backend


def make_small(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(figure_sweep, "SIZE", 24)
    patch.setattr(figure_sweep, "PHOTOS", {"quick": 2, "paper": 50})
    patch.setattr(width, "WIDTHS", {"quick": (2, 4, 8), "paper": (2, 4)})
    patch.setattr(kernel_size, "KERNEL_SIZES", (3, 7, 15))
    patch.setattr(kernel_size, "WIDTH", 4)
    patch.setattr(layers, "LAYERS", ("conv1", "conv2"))
    patch.setattr(run_module, "open_backend", lambda *_: Backend(ThreadPoolExecutor(1), 1))


class Section4:
    """Figures of one folder, each computed when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._findings: dict[str, list[Finding]] = {}

    def __call__(self, figure: str) -> dict[str, Finding]:
        if figure not in self._findings:
            options = FigureOptions(figure=figure, networks=4, out=str(self.folder))
            # So that nothing outside is small; each part has checked tests of its own.
            with pytest.MonkeyPatch.context() as patch, unchecked():
                make_small(patch)
                self._findings[figure] = registry.run(options)
        return {finding.claim.name: finding for finding in self._findings[figure]}
