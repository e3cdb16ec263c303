"""Every script in examples/ runs, prints something and leaves its picture."""

import runpy
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from preimage.sweeps import run as run_module
from preimage.sweeps.engine import Backend

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
PRINTED = {
    "decoder": "Evaluations(decoder: PSNR ",
    "leakage": "bits per pixel: ",
    "limit": "at infinite width: SSIM 0.",
    "own_model": "verdict",
    "own_photos": "conv3 chelsea: SSIM 0.",
    "sweep": "head mean, width 32: |r| 0.",
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs(
    example: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Threads in place of processes, which take seconds to start.
    backend = Backend(ThreadPoolExecutor(1), in_flight=1)
    monkeypatch.setattr(run_module, "open_backend", lambda *_: backend)
    monkeypatch.setattr(sys, "argv", [str(example)])
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    assert PRINTED[example.stem] in capsys.readouterr().out
    assert [path.stem for path in tmp_path.glob(f"{example.stem}.*")]
