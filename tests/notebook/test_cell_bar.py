"""A bar as a notebook's cell shows it, with a display that writes down what it is given."""

from typing import Any

import pytest

from preimage.notebook import cell_bar

display = pytest.importorskip("IPython.display", reason="IPython comes with `notebook`")


class Handle:
    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def __call__(self, data: dict[str, str], **options: Any) -> "Handle":
        assert options == {"raw": True, "display_id": True}
        self.shown.append(data)
        return self

    def update(self, data: dict[str, str], raw: bool) -> None:
        self.shown.append(data)


def test_steps_time_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    handle, clock = Handle(), iter([0.0, 0.1, 61.0, 62.0])
    monkeypatch.setattr(display, "display", handle)
    monkeypatch.setattr(cell_bar.time, "monotonic", lambda: next(clock))
    with cell_bar.cell_bar("a & b", 4) as show:
        show(1, "too soon")
        show(2, "loss 3")
        show(4, "")
    assert [data["text/plain"] for data in handle.shown] == [
        "a & b 0/4",
        "a & b 2/4 loss 3, 1:01, 1:01 left",
        "a & b 4/4 1:02, 0:00 left",
        "",
    ]
    assert handle.shown[1]["text/html"].startswith('<div><progress value="2" max="4"></progress> ')
    assert "a &amp; b" in handle.shown[1]["text/html"]


def test_of_an_unknown_number(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Handle()
    monkeypatch.setattr(display, "display", handle)
    monkeypatch.setattr(cell_bar, "_EVERY", 0)
    with pytest.raises(ZeroDivisionError), cell_bar.cell_bar("photos", None) as show:
        show(3 // 0, "")
    assert handle.shown[-1] == {"text/html": "", "text/plain": ""}
    assert "progress" not in handle.shown[0]["text/html"]
