"""docs/probe.md and README say what benchmarks/probe_study.json says, and nothing else."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("probe_study_page")


def test_the_page_is_written_from_the_findings(page: ModuleType) -> None:
    findings = json.loads(page.FINDINGS.read_text("utf-8"))
    text = page.PAGE.read_text("utf-8")
    assert page.written(text, findings) == text
    assert page.headline(findings) in " ".join((ROOT / "README.md").read_text("utf-8").split())
    with pytest.raises(ValueError, match=r"probe\.md must hold <!-- headline"):
        page.written("no markers", findings)


def test_verdicts_are_those_of_their_intervals(page: ModuleType) -> None:
    findings = json.loads(page.FINDINGS.read_text("utf-8"))
    assert len(findings["networks"]) == 10
    for network in findings["networks"].values():
        for layer in network["layers"]:
            for cell in layer["twins"].values():
                assert len(cell["psnr"]) >= 5
                gap = layer["trained"][0] - sum(cell["psnr"]) / len(cell["psnr"])
                assert gap == pytest.approx(cell["difference"], abs=2e-3)
                least = max(cell["over_photos"], cell["over_draws"])
                word = "training keeps more" if gap > 0 else "training throws away"
                if abs(abs(gap) - least) > 2e-3:
                    assert cell["verdict"] == (word if abs(gap) > least else "not decided")


def test_the_text_between_the_tables_says_the_same(page: ModuleType) -> None:
    findings = json.loads(page.FINDINGS.read_text("utf-8"))
    text = " ".join(page.PAGE.read_text("utf-8").split())
    networks = findings["networks"]
    cells = [layer["twins"] for layer in networks["squeezenet1_0"]["layers"]]
    last, deepest = (-cell["built"]["difference"] for cell in cells[-2:])
    assert f"in the last two the trained ones lose {last:.1f} and {deepest:.1f} dB" in text
    assert all(cell["built"]["over_photos"] < 0.6 for cell in cells[-2:])  # decided over photos
    gains = {
        layer["layer"]: sum(layer["twins"]["fan-in"]["psnr"]) / 5
        - sum(layer["twins"]["normalised"]["psnr"]) / 5
        for layer in networks["mobilenet_v2_imagenet"]["layers"]
    }
    best = max(gains, key=gains.__getitem__)
    assert f"up to {gains[best]:.1f} dB more of the picture in the middle" in text
    assert f"(MobileNetV2, `{best}`)" in text
    undecided = [
        (row["layer"], name)
        for row in findings["objectives"][-3:]
        for name, gap in row.items()
        if name != "layer" and gap[0] < gap[1]
    ]
    assert undecided == [("features.17", "mobilenet_v2_inat_bird")]
