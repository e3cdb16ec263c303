"""A queue that is bounded, and that forgets what nobody waits for."""

import asyncio
import threading

import pytest

from preimage.app.web.lanes import Busy, Lane, Stale


async def wanted() -> bool:
    return True


async def gone() -> bool:
    return False


def test_what_nobody_wants_is_not_computed() -> None:
    done: list[str] = []

    async def ask() -> None:
        lane = Lane("test", 9)
        with pytest.raises(Stale):
            await lane.run(lambda: done.append("stale"), gone)
        await lane.run(lambda: done.append("fresh"), wanted)
        assert (lane.dropped, lane.waiting) == (1, 0)
        lane.close()

    asyncio.run(ask())
    assert done == ["fresh"]


def test_computations_come_one_by_one_and_more_than_so_many_are_refused() -> None:
    order: list[int] = []
    held = threading.Event()

    def work(number: int) -> int:
        held.wait(60)
        order.append(number)
        return number

    async def ask() -> None:
        lane = Lane("test", 3)
        tasks = [asyncio.create_task(lane.run(lambda n=n: work(n), wanted)) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await lane.run(lambda: work(9), wanted)
        held.set()
        assert await asyncio.gather(*tasks) == [0, 1, 2]
        assert lane.waiting == 0
        lane.close()

    asyncio.run(ask())
    assert order == [0, 1, 2]


def test_an_error_frees_the_lane() -> None:
    async def ask() -> int:
        lane = Lane("test", 1)
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0, wanted)
        return await lane.run(lambda: 7, wanted)

    assert asyncio.run(ask()) == 7
