"""Figures of trained decoders: the paper's preset for two steps each, and what intervals say."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preimage.app.cli.main import main
from preimage.paper.depth_scores import Score, Scores
from preimage.paper.trainings import smooth, steps_to

FIGURES = ("fig2a", "fig2b", "fig2c", "fig3a", "fig3b", "fig4", "fig6")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for index in range(6):
        small = generator.integers(0, 256, (5, 5, 3)).astype(np.uint8)
        large = Image.fromarray(small).resize((40, 36), Image.Resampling.BICUBIC)
        large.save(folder / f"{index}.png")
    return folder


def reproduce(figure: str, photos: Path, out: Path, *words: object) -> int:
    options = ["--train", photos, "--held-out", photos, "--out", out, "--device", "cpu", *words]
    return main(["reproduce", figure, *(str(option) for option in options)])


@pytest.mark.slow
@pytest.mark.parametrize("figure", FIGURES)
def test_the_papers_preset_runs_two_steps(
    figure: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # no one's pre-trained weights
    # Stands in for torchvision's file: a classifier trained here for two steps.
    tree = tmp_path / "tree"
    for name in ("a", "b"):
        (tree / name).mkdir(parents=True)
        (tree / name / "0.png").write_bytes((photos / "0.png").read_bytes())
    pretrain = ["--steps", "2", "--batch-size", "2", "--width-factor", "0.02", "--device", "cpu"]
    assert main(["pretrain", "--data", str(tree), "--out", str(tmp_path / "p"), *pretrain]) == 0
    words = ["--scale", "paper", "--steps", 2, "--batch-size", 1, "--width-factor", 0.02]
    words += ["--photos", 2, "--trained", tmp_path / "p" / "encoder.safetensors"]
    out = tmp_path / "out"
    assert reproduce(figure, photos, out, *words) == 0
    finding = json.loads((out / f"{figure}.json").read_text())
    assert finding["pictures"] == [f"{figure}.png"]
    with Image.open(out / f"{figure}.png") as picture:
        assert picture.size[0] > 400
    with (out / f"{figure}.csv").open() as file:
        assert len(list(csv.DictReader(file))) > 1
    curves = {path: path.read_text() for path in out.glob("trainings/*/metrics.jsonl")}
    assert curves
    assert reproduce(figure, photos, out, *words) == 0  # nothing is trained again
    assert {path: path.read_text() for path in curves} == curves


def test_without_photos_or_time(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "fig2b", "--out", str(tmp_path)]) == 2
    assert "name photos as `train`" in capsys.readouterr().err
    words = ["--width-factor", 0.02, "--side", 24, "--steps", 50]
    assert reproduce("fig2c", photos, tmp_path, *words, "--max-minutes", "1e-6") == 1
    assert "the same command goes on" in capsys.readouterr().err
    assert reproduce("fig2c", photos, tmp_path, *words, "--dry-run") == 0
    assert "4 trainings, 200 steps" in capsys.readouterr().out


def test_scaled_features_make_the_weights_scale_vanish(photos: Path, tmp_path: Path) -> None:
    words = ["--width-factor", 0.05, "--side", 24, "--steps", 6, "--batch-size", 2]
    assert reproduce("fig2b", photos, tmp_path, *words) == 0
    with (tmp_path / "fig2b.csv").open() as file:
        rows = list(csv.DictReader(file))
    losses: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        losses.setdefault((row["scaled"], row["encoder"]), []).append(float(row["loss"]))
    scaled = [values for (flag, _), values in losses.items() if flag == "True"]
    raw = [values for (flag, _), values in losses.items() if flag == "False"]
    assert len(scaled) == len(raw) == 5
    assert all(values == pytest.approx(scaled[0], rel=1e-5) for values in scaled)
    assert max(values[0] for values in raw) > 2 * min(values[0] for values in raw)


def test_smoothing_and_steps() -> None:
    assert smooth([4.0, 2.0, 0.0, 0.0], 0.5) == [4.0, 3.0, 1.0, 0.0]
    assert steps_to([4.0, 2.0, 0.0, 0.0] * 10, 2.0) == 3  # a window of two
    assert steps_to([4.0], 2.0) is None


def test_gap_and_slope_over_photos_and_networks() -> None:
    def score(encoder: str, network: int, layer: str, values: list[float]) -> Score:
        return Score(encoder, network, layer, "m", "held-out", {"psnr": values})

    scores = Scores(
        [
            *(score("random", n, layer, [10.0 + n, 12.0 + n]) for n in (0, 1) for layer in "abc"),
            *(
                score("trained", n, layer, [9.0 - depth + n, 10.0 - depth + n])
                for n in (0, 1)
                for depth, layer in enumerate("abc")
            ),
        ]
    )
    gap = scores.compare("psnr", "b", "random", "trained", method="m")
    assert gap.over_photos.mean == gap.over_networks.mean == pytest.approx(2.5)
    photos, networks = scores.gap_slope("psnr", "abc", "random", "trained", method="m")
    assert photos.mean == networks.mean == pytest.approx(1.0)
    assert photos.sign == 1
