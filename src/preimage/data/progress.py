"""Progress bars on stderr, so that stdout holds results alone; in a notebook, below its cell."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from preimage.notebook.cell_bar import cell_bar

Item = TypeVar("Item")
#: Hears the label of a bar, the steps that are done, and how many there are, if that is known.
Watch = Callable[[str, int, int | None], object]
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Within this block `watch` hears of every step of every bar, whether it is shown or not."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


@runtime_checkable
class Step(Protocol):
    """What the training bar needs to know about a step."""

    @property
    def step(self) -> int:
        """Steps done."""

    @property
    def loss(self) -> float:
        """Mean loss per photo."""

    @property
    def photos(self) -> int:
        """Photos in the step."""

    @property
    def seconds(self) -> float:
        """Wall time of the step."""


@contextmanager
def training_bar(step: int, steps: int, shown: bool = True) -> Iterator[Callable[[Step], None]]:
    """A bar of steps with the running mean of the loss and of photos per second."""
    columns = (
        TextColumn("train"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4g}, {task.fields[speed]:.0f} photos/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    if shown and console.is_jupyter:
        with cell_bar("train", steps) as draw:

            def tell(done: int, loss: float, speed: float) -> None:
                draw(done, f"loss {loss:.4g}, {speed:.0f} photos/s")

            yield _running_means(tell, steps)
        return
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("train", total=steps, completed=step, loss=0.0, speed=0.0)
        yield _running_means(
            lambda done, loss, speed: bar.update(task, completed=done, loss=loss, speed=speed),
            steps,
        )


def _running_means(tell: Callable[[int, float, float], None], steps: int) -> Callable[[Step], None]:
    """Steps done, and the running means of loss and photos per second, told at each step."""
    loss = seconds = 0.0
    watch = _watch.get()

    def show(record: Step) -> None:
        nonlocal loss, seconds
        loss += (record.loss - loss) * (0.05 if loss else 1)
        seconds += (record.seconds - seconds) * (0.05 if seconds else 1)
        tell(record.step, loss, record.photos / seconds)
        if watch:
            watch("train", record.step, steps)

    return show


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Callable[..., None]]:
    """A bar that the yielded function advances, by one or more steps; hidden if no one watches."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    if console.is_jupyter:
        with cell_bar(label, total) as draw:
            yield _heard(_counter(draw), label, total)
        return
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield _heard(partial(bar.advance, bar.add_task(label, total=total)), label, total)


def _counter(draw: Callable[[int, str], None]) -> Callable[..., None]:
    done = 0

    def advance(steps: int | float = 1) -> None:
        nonlocal done
        done += round(steps)
        draw(done, "")

    return advance


def _heard(advance: Callable[..., None], label: str, total: int | None) -> Callable[..., None]:
    """The same, and whoever watches hears of it."""
    watch = _watch.get()
    if watch is None:
        return advance

    def tell(done: int, _: str) -> None:
        watch(label, done, total)

    count = _counter(tell)

    def both(steps: int | float = 1) -> None:
        advance(steps)
        count(steps)

    return both


def progress(items: Iterable[Item], label: str) -> Iterator[Item]:
    """The items, with a bar that counts them."""
    with progress_bar(label, None) as advance:
        for item in items:
            yield item
            advance()
