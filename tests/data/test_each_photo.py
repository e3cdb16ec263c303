import logging
from pathlib import Path

import pytest
from PIL import Image

from preimage.data.each_photo import Interrupted, KeepFinished, Problems, each_photo, keeping
from preimage.data.photo import Photo, PhotoError
from preimage.data.termination import Terminated


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, and between them a file that is none."""
    Image.new("RGB", (9, 7), "orange").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("not a picture")
    Image.new("RGB", (5, 3), "navy").save(tmp_path / "c.png")
    return tmp_path


def area(photo: Photo) -> int:
    height, width = photo.pixels.shape[-2:]
    if height < 5:
        raise ValueError("too small")
    return height * width


def test_a_bad_photo_stops_no_other(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    with caplog.at_level(logging.WARNING):
        results = [(p.name, n) for p, n in each_photo(area, folder, None, problems)]
    assert results == [("a", 63)]
    assert problems.count == 2
    unread, refused = caplog.messages
    assert f"{folder / 'b.png'}: not an image" in unread
    assert refused == f"{folder / 'c.png'}: too small"


def test_without_a_callback_the_first_error_is_raised(folder: Path) -> None:
    with pytest.raises(PhotoError, match=r"c\.png: too small") as caught:
        list(each_photo(area, folder / "c.png", None))
    assert str(caught.value.__cause__) == "too small"
    with pytest.raises(PhotoError, match=r"b\.png: not an image"):
        list(each_photo(area, folder, None))


def test_photos_are_opened_as_they_are_asked_for(folder: Path) -> None:
    """So that a long list needs the memory of one photo, and Ctrl-C comes through."""
    results = each_photo(area, folder, None)
    assert next(results)[1] == 63
    with pytest.raises(PhotoError, match=r"b\.png"):
        next(results)


def test_no_source_means_the_embedded_photos() -> None:
    assert [photo.name for photo, _ in each_photo(area, None, 32)] == [
        "astronaut",
        "chelsea",
        "coffee",
        "rocket",
    ]


def test_ctrl_c_keeps_what_is_finished() -> None:
    finished = []
    with KeepFinished() as keep:
        for number in range(5):
            if number == 3:
                raise KeyboardInterrupt
            finished.append(number)
    assert finished == [0, 1, 2]
    assert keep.interrupted
    with pytest.raises(KeyboardInterrupt):
        keep.raise_interrupt()


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="a reason"), KeepFinished():
        raise RuntimeError("a reason")
    with KeepFinished() as keep:
        pass
    keep.raise_interrupt()
    assert not keep.interrupted


def test_an_interrupt_carries_what_is_finished() -> None:
    done = ["first"]
    said = "1 of the photos is finished, in `results`"
    with pytest.raises(Interrupted, match=said) as raised, keeping(done):
        raise KeyboardInterrupt
    assert raised.value.results is done


@pytest.mark.parametrize(("stop", "done"), [(KeyboardInterrupt, []), (Terminated, ["first"])])
def test_with_nothing_finished_or_nobody_there_it_stays_as_it_is(
    stop: type[KeyboardInterrupt], done: list[str]
) -> None:
    with pytest.raises(KeyboardInterrupt) as raised, keeping(done):
        raise stop
    assert type(raised.value) is stop
