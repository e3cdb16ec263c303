"""A loss curve on disk: half a last line is a kill's, any other damage is named and left alone."""

from pathlib import Path

import pytest
from small_runs import losses, train

from preimage.decoders.loss_curve import core_seconds, cut_metrics, metrics_line, read_metrics


def line(step: int, loss: float = 1.5) -> str:
    record = {"step": step, "loss": loss, "learning_rate": 1e-3, "photos": 2}
    return metrics_line({**record, "seconds": 0.25, "wait": 0.125})


def test_processor_time_where_a_version_before_knew_the_clock_s() -> None:
    assert core_seconds([{"seconds": 0.25}, {"seconds": 0.25, "core_seconds": 0.5}]) == 0.75


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(line(step) for step in range(1, 8)))
    return path


DAMAGED = [
    "5",
    "[]",
    "null",
    "",
    '{"step": 4, "lo',
    '{"step": 4}',
    line(4).replace("1.5", "1.6").strip(),  # as JSON and as a record faultless
    line(4).replace("1.5", "NaN").strip(),
    line(4).replace("1.5", '"1.5"').strip(),
    line(4).replace("4", "4.0", 1).strip(),
    line(4).replace("4", "true", 1).strip(),
    line(4).replace("4", "0", 1).strip(),
    line(4).replace("1.5", "1" * 400).strip(),
    "[" * 100_000,
    "\0" * 60,
    "\ud800",
]


@pytest.mark.parametrize("damage", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_line_is_named_and_nothing_is_written(damage: str, curve: Path) -> None:
    lines = curve.read_bytes().splitlines()
    lines[3] = damage.encode("utf-8", "surrogatepass")
    curve.write_bytes(b"\n".join(lines) + b"\n")
    before = curve.read_bytes()
    for read in (read_metrics, lambda path: cut_metrics(path, 2)):
        with pytest.raises(
            ValueError, match=r"metrics\.jsonl: line 4 of 7 .* other 6 lines can be"
        ):
            read(curve)
    assert curve.read_bytes() == before


def test_several_damaged_lines_are_counted(curve: Path) -> None:
    curve.write_text(line(1) + "5\n" + "5\n" + line(4) + "5\n")
    with pytest.raises(ValueError, match=r"line 2 of 5 and 2 more is damaged \(not the record"):
        read_metrics(curve)


def test_steps_that_do_not_ascend_are_damage(curve: Path) -> None:
    curve.write_text(line(1) + line(92) + line(3) + line(4))
    with pytest.raises(ValueError, match=r"line 3 of 4 is damaged \(step 3 after step 92\)"):
        read_metrics(curve)


@pytest.mark.parametrize("torn", ["", "{", line(8)[:30], line(8)[:-2], "\0\0\0", "5"])
def test_half_a_last_line_is_dropped(torn: str, curve: Path) -> None:
    whole = curve.read_text()
    curve.write_text(whole + torn)
    assert [record["step"] for record in read_metrics(curve)] == [1, 2, 3, 4, 5, 6, 7]
    assert curve.read_text() == whole + torn  # reading writes nothing
    cut_metrics(curve, 9)
    assert curve.read_text() == whole


def test_a_last_line_that_lacks_its_newline_alone_is_kept(curve: Path) -> None:
    curve.write_text(line(1) + line(2).strip())
    assert [record["step"] for record in cut_metrics(curve, 2)] == [1, 2]
    assert curve.read_text() == line(1) + line(2)


def test_steps_after_the_state_are_dropped_and_others_untouched(curve: Path) -> None:
    stamp = curve.stat().st_ino
    assert len(cut_metrics(curve, 7)) == 7
    assert curve.stat().st_ino == stamp
    assert [record["step"] for record in cut_metrics(curve, 4)] == [1, 2, 3, 4]
    assert curve.read_text() == "".join(line(step) for step in range(1, 5))


def test_no_file_has_no_records(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "metrics.jsonl") == []
    assert cut_metrics(tmp_path / "metrics.jsonl", 3) == []
    assert not list(tmp_path.iterdir())


def test_a_run_with_a_damaged_curve_is_refused_before_any_work(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It dropped the lines behind the damage, and put the mean of the rest into the decoder."""
    stopped = train(photos, tmp_path, machine={"max_minutes": 1e-9})
    assert stopped is None
    train(photos, tmp_path)
    curve = tmp_path / "metrics.jsonl"
    lines = curve.read_text().splitlines(keepends=True)
    curve.write_text("".join([*lines[:2], "5\n", *lines[3:]]))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="line 3 of 8"):
        train(photos, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    curve.write_text("".join([*lines[:2], *lines[3:]]))  # as the message advises
    inverter = train(photos, tmp_path)
    assert inverter is not None
    assert "lacks 1 of 8 steps" in caplog.text
    assert len(losses(tmp_path)) == 7
    assert inverter.card["metrics"]["loss"] == pytest.approx(sum(losses(tmp_path)) / 7)
