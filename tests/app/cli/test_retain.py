"""`preimage retain` on small photos: its table, its page, what it refuses."""

import json
import re
from pathlib import Path

import pytest
from command import run
from photo_files import picture

from preimage.retention.search import architectures


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for index in range(12):
        picture(index, 19, 21).save(f"photos/{index:02d}.png")
    layers = ["--layers", "conv1_1", "conv2_1", "--tile", "2", "--positions", "24", "--scored", "8"]
    return ["retain", "--data", "photos", "--size", "16", *layers]


def test_a_table_a_page_and_numbers(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words, "--widths", "8", "32", "--threads", "1") == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split()[0] == "layer"
    assert lines[0].endswith("8 channels  32 channels")
    assert [line.split()[:3] for line in lines[2:4]] == [
        ["conv1_1", "1", "24"],
        ["conv2_1", "2", "24"],
    ]
    data = json.loads(Path("preimage-retain/retain.json").read_text())
    first, second = data["layers"]
    assert first["psnr"] > first["curve"][1][1] > first["curve"][0][1]
    assert second["positions"] == [24, 8]
    assert "--positions 24" in data["record"]["command"]
    assert data["record"]["photos"] == "9 to fit to, 3 to score, 16×16"
    page = Path("preimage-retain/retain.html").read_text()
    assert "<svg" in page
    assert "http" not in page
    kept = {p: p.stat().st_mtime_ns for p in Path("preimage-retain/kernels").iterdir()}
    assert len(kept) == 2 * 2 * (2 + 1)
    # The same command again finds every row.
    assert run(*words, "--widths", "8", "32", "--threads", "1") == 0
    assert capsys.readouterr().out == out
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_dry_run_says_what_it_takes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words, "--dry-run") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == [
        "layer", "positions", "scored", "evaluations", "minutes", "GB",
    ]  # fmt: skip
    assert re.fullmatch(r"about \d+ s, .+ of memory, 4.2 kB on the disk", out.splitlines()[-1])
    assert not Path("preimage-retain").exists()


def test_max_pools_are_drawn_and_a_network_stands_beside_the_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--pool", "max", "--draws", "2", "--weights", "gaussian:fan-in"]
    assert run(*words, *given) == 0
    assert "this network" in capsys.readouterr().out
    data = json.loads(Path("preimage-retain/retain.json").read_text())
    assert [len(layer["drawn_mse"]) for layer in data["layers"]] == [0, 2]
    assert "are drawn" in Path("preimage-retain/retain.html").read_text()


def test_architectures_are_compared_on_a_page(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = list(architectures())[:2]
    monkeypatch.setattr("preimage.app.cli.retain_search.architectures", lambda: iter(few))
    words[words.index("conv1_1") : words.index("--tile")] = ["conv1"]
    given = ["--search", "--threads", "1"]
    assert run(*words, *given, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("3 architectures\n")
    assert run(*words, *given) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("architecture")
    page = Path("preimage-retain/architectures.html").read_text()
    assert page.count("<svg") == 2
    data = json.loads(Path("preimage-retain/architectures.json").read_text())
    assert [row["family"] for row in data["layers"]] == ["conv1"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--window", "2"], "--window must be odd"),
        (["--landmarks", "25"], "some of the 24 --positions, got 25"),
        (["--layers", "conv9"], "conv9"),
        (["--search", "--widths", "8"], "leave out --weights and --widths"),
        (["--positions", "99999"], "fewer than 99,999"),
        (["--data", "nowhere"], "nowhere"),
        (["--data", "", "--held-out", "photos"], "--held-out needs --data"),
        (["--data", "", "--size", "500"], "--size is at most 448"),
    ],
)
def test_what_it_can_t_do_is_one_line(
    words: list[str], more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words, *more) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert said in err
    assert not Path("preimage-retain").exists()
