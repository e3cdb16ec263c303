"""What a bug report is told, and that it is told without importing torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch
from command import run

from preimage._version import __version__
from preimage.app.cli import info


def test_it_tells_what_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["preimage"], facts["numpy"]) == (__version__, numpy.__version__)
    assert torch.__version__.startswith(facts["torch"])  # metadata may lack the +cu130
    assert facts["device"].startswith("cuda" if torch.cuda.is_available() else "cpu")
    assert facts["variables"]["OMP_NUM_THREADS"] == "1"
    assert "installed" in facts["extras"]["cluster"]
    assert run("info") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == list(facts)


def test_it_takes_no_torch_where_the_build_is_for_cpus() -> None:
    if torch.version.cuda is not None:
        pytest.skip("this torch could take a GPU, and is asked")
    code = (
        "import sys; from preimage.app.cli.main import main; "
        "assert main(['info']) == 0; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True, timeout=60)


def test_extras_lack_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = ['timm>=1.0; extra == "models"', 'nosuch_thing>=5; extra == "models"', "numpy>=1"]
    monkeypatch.setattr(info, "requires", lambda name: [*declared, 'pytest>=9; extra == "test"'])
    assert info.extras() == {"models": ["timm", "nosuch_thing"]}
    assert info._missing(["numpy", "nosuch_thing"]) == "lacks nosuch_thing"


def test_a_cache_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "a.pth").write_bytes(bytes(20_000_000))
    assert info._caches()[str(tmp_path / "hub" / "checkpoints")] == "1 files, 0.02 GB"
