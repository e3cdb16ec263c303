"""The costly rungs of a whole probe: what is reported, kept, and left as it was."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from preimage.probing import RAW, DcnOptions, InversionOptions, ProbeResult, probe

DCN = DcnOptions(steps=6, batch_size=4, width=4)
INVERSION = InversionOptions(photos=3, steps=25, batch_size=2, total_variation=0.003)
RUNGS = ("linear", "dcn", "inversion")


def _photos() -> Tensor:
    coarse = torch.rand(22, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    return 255 * nn.functional.interpolate(coarse, (16, 20), mode="bicubic").clamp(0, 1)


def _model() -> nn.Module:
    torch.manual_seed(0)
    maps = nn.Sequential(nn.Conv2d(3, 14, 4, 4), nn.BatchNorm2d(14), nn.ReLU(inplace=True))
    return nn.Sequential(maps, nn.Flatten(), nn.Linear(14 * 20, 9))


@pytest.fixture(scope="module")
def asked() -> tuple[nn.Module, dict[str, Tensor], ProbeResult]:
    model = _model().train()
    model[2].weight.requires_grad_(False)  # type: ignore[union-attr]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = _probe(model)
    return model, before, result


def _probe(model: nn.Module, out: Path | None = None, costly: DcnOptions = DCN) -> ProbeResult:
    return probe(
        model,
        _photos(),
        ["0.0", "2"],
        preprocessing=RAW,
        twins=2,
        rungs=RUNGS,
        dcn=costly,
        inversion=INVERSION,
        out=out,
    )


def test_each_rung_is_reported_beside_the_linear_one(
    asked: tuple[nn.Module, dict[str, Tensor], ProbeResult],
) -> None:
    *_, result = asked
    maps, vectors = result.layers
    dcn, inversion = maps.rungs["dcn"], maps.rungs["inversion"]
    assert dcn.linear == maps.trained
    assert len(dcn.trained) == len(dcn.feature_error) == 5
    assert inversion.linear == maps.trained[:3]
    assert len(inversion.trained) == len(inversion.pictures) == len(inversion.twin_pictures) == 3
    assert inversion.notes["total variation"] == 0.003
    assert list(vectors.rungs) == ["inversion"]  # a vector has no positions to unpool
    rows = result.rung_rows()
    assert [(r["layer"], r["rung"]) for r in rows] == [
        ("0.0", "dcn"),
        ("0.0", "inversion"),
        ("2", "inversion"),
    ]
    assert rows[0]["above_linear"] == pytest.approx(rows[0]["psnr"] - rows[0]["linear_psnr"])
    assert "feature error" in str(result)


def test_one_twin_decides_over_photos_alone(
    asked: tuple[nn.Module, dict[str, Tensor], ProbeResult],
) -> None:
    *_, result = asked
    rung = result.layers[0].rungs["dcn"]
    assert len(rung.twins) == 1
    verdict = rung.verdict()
    assert verdict is not None
    assert verdict.word == "not decided"
    assert verdict.over_photos.n == 5
    assert (rung.word() or "").endswith("over draws not decided (one twin)")
    two = replace(rung, twins=rung.twins * 2)
    assert two.verdict() is not None
    assert "one twin" not in (two.word() or "")
    assert replace(rung, twins=[]).word() is None


def test_the_model_is_left_as_it_was(
    asked: tuple[nn.Module, dict[str, Tensor], ProbeResult],
) -> None:
    model, before, _ = asked
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert model.training
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    asking = [name for name, p in model.named_parameters() if not p.requires_grad]
    assert asking == ["2.weight"]
    assert not any(module._forward_hooks for module in model.modules())


def test_what_a_folder_keeps_is_not_computed_again(
    asked: tuple[nn.Module, dict[str, Tensor], ProbeResult], tmp_path: Path
) -> None:
    """The same seed gives the same numbers; other options are other pieces."""
    model, _, result = asked
    first = _probe(model, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*dcn*.safetensors")}
    assert len(times) == 2
    second = _probe(model, tmp_path)
    assert first.rung_rows() == second.rung_rows()
    assert times == {path: path.stat().st_mtime_ns for path in times}
    assert first.layers[0].rungs["dcn"].trained == result.layers[0].rungs["dcn"].trained
    inverted = first.layers[1].rungs["inversion"]
    assert inverted.trained == result.layers[1].rungs["inversion"].trained
    _probe(model, tmp_path, replace(DCN, steps=5))
    assert len(list(tmp_path.rglob("*dcn*.safetensors"))) == 4
