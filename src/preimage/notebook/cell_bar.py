"""A progress bar below a notebook's cell: plain HTML, no widgets, gone when it is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

_EVERY = 0.15  # seconds between two updates, each of which is a message to the browser


@contextmanager
def cell_bar(label: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
    """A bar that the yielded function sets to a number of steps, with a text beside it."""
    from IPython.display import display

    start = last = time.monotonic()
    handle = display(_bundle(label, 0, total, ""), raw=True, display_id=True)

    def show(done: int, text: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY:
            return
        last = now
        left = f", {_clock((now - start) * (total - done) / done)} left" if total and done else ""
        beside = ", ".join(filter(None, (text, _clock(now - start)))) + left
        handle.update(_bundle(label, done, total, beside), raw=True)

    try:
        yield show
    finally:
        handle.update({"text/html": "", "text/plain": ""}, raw=True)


def _bundle(label: str, done: int, total: int | None, text: str) -> dict[str, str]:
    """The bar as HTML, and in one line for notebooks without it."""
    count = f"{done:,}" if total is None else f"{done:,}/{total:,}"
    line = f"{label} {count} {text}".rstrip()
    bar = "" if total is None else f'<progress value="{done}" max="{total}"></progress> '
    return {"text/html": f"<div>{bar}{escape(line)}</div>", "text/plain": line}


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
