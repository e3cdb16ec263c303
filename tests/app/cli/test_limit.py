import json
from pathlib import Path

import numpy as np
import pytest
from command import run


def test_limit_writes_figure_limit_and_numbers(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--layer", "conv1", "--pooled", "--width", "4", "--networks", "2", "--size", "24"]
    assert run("limit", photo, *words, "--out", str(out)) == 0
    assert {path.name for path in out.iterdir()} == {
        "limit.png",
        "limit.npy",
        "run.json",
        "report.html",
    }
    assert np.load(out / "limit.npy", allow_pickle=False).shape == (24, 24)
    numbers = json.loads((out / "run.json").read_text())["numbers"]
    assert f"{numbers['limit']['ssim']:.3f}" in capsys.readouterr().out
    assert numbers["sampling_stderr"] == 0
