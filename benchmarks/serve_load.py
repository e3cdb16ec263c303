"""From a slider to its picture, and sixteen people at once, on the page of `preimage serve`.

    python benchmarks/serve_load.py [--clients 16] [--seconds 60] [--steps 40]

The server runs in a process of its own, whose event loop is watched: every 5 ms it should wake up,
and how late it does is how long something blocked it. The clients are in another process: each
changes an option, asks as the page does (preview, picture, limit, tiles of the strips, one after
the other), and takes a quarter of its questions back before they are answered. With Playwright and
Chromium the slider is moved in a browser as well, from the event to the decoded picture.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlencode

SLIDER = {"layer": "conv1", "width": 64, "size": 128, "head": "mean", "pool": "avg"}
TICK = 0.005  # seconds


def watch_server(told: Connection) -> None:
    """Serves until SIGTERM; tells its port, and in the end what it measured."""
    from preimage.app.cli.serve import spell
    from preimage.app.web.server import assemble, listen, nothing_to_collect, server_of
    from preimage.app.web.settings import ServeOptions

    options = ServeOptions(port=0)
    idle: list[float] = []  # what `late` was before the last SIGUSR1
    late: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - before - TICK)

    def turn(*_: object) -> None:
        idle[:] = late
        late.clear()

    async def both() -> None:
        watching = asyncio.create_task(tick())
        try:
            await server.serve(sockets=[bound])
        finally:
            watching.cancel()

    with listen(options) as bound:
        port = bound.getsockname()[1]
        server = server_of(assemble(options, port, spell))
        told.send(port)
        signal.signal(signal.SIGUSR1, turn)
        signal.signal(signal.SIGTERM, lambda *_: None)
        with nothing_to_collect():
            asyncio.run(both())
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told.send({"late": late, "idle": max(idle), "peak": peak})


class Person:
    """One client that behaves like the page in a browser."""

    def __init__(self, number: int, address: str, until: float) -> None:
        self.random = random.Random(number)
        self.address = address
        self.until = until
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []  # of whole pictures, waits after a 503 included

    async def live(self) -> None:
        """Changes options until the time is over."""
        import httpx2

        limits = httpx2.Limits(max_connections=6)
        async with httpx2.AsyncClient(base_url=self.address, limits=limits, timeout=60) as client:
            while time.monotonic() < self.until:
                await self._change(client)

    async def _change(self, client: Any) -> None:
        options = self._options()
        started = time.monotonic()
        asked = [("picture", {**options, "size": 64}), ("picture", options), ("limit", options)]
        asked += [("strip", {**options, "seed": options["seed"] + i}) for i in range(1, 4)]
        patience = self.random.uniform(0.02, 0.4) if self.random.random() < 0.25 else 60
        try:
            async with asyncio.timeout(patience):
                for index, (kind, query) in enumerate(asked):
                    await self._ask(client, kind, query)
                    if index == 1:
                        self.seconds.append(time.monotonic() - started)
        except TimeoutError:
            self.statuses["taken back"] += 1
        await asyncio.sleep(self.random.uniform(0, 0.3))

    async def _ask(self, client: Any, kind: str, query: dict[str, Any]) -> None:
        while True:
            answer = await client.get(f"/api/{kind}?{urlencode(query)}")
            self.statuses[str(answer.status_code)] += 1
            if answer.status_code != 503:
                return
            if "error" not in answer.json():
                self.statuses["503 without words"] += 1
            await asyncio.sleep(0.5)

    def _options(self) -> dict[str, Any]:
        pick = self.random.choice
        return {
            "photo": pick(["astronaut", "chelsea", "coffee", "rocket"]),
            "layer": pick(["conv1", "conv1", "conv2", "conv3"]),
            "width": pick([4, 16, 64, 128]),
            "pool": pick(["avg", "l2", "max"]),
            "head": pick(["mean", "mean", "conv"]),
            "unpool": pick(["zeros", "nearest"]),
            "size": pick([96, 128, 128, 227]),
            "seed": self.random.randrange(10**6),
        }


def people(address: str, count: int, seconds: float, told: Connection) -> None:
    """So many clients for so long."""

    async def all_of_them() -> list[Person]:
        until = time.monotonic() + seconds
        persons = [Person(number, address, until) for number in range(count)]
        await asyncio.gather(*(person.live() for person in persons))
        return persons

    persons = asyncio.run(all_of_them())
    statuses: Counter[str] = sum((person.statuses for person in persons), Counter())
    told.send((dict(statuses), [s for person in persons for s in person.seconds]))


def slider_over_http(address: str, steps: int) -> list[float]:
    """Seconds from a question to its whole answer, a network that was never asked for each time."""
    import httpx2

    times = []
    with httpx2.Client(base_url=address, timeout=60) as client:
        for seed in range(10**6, 10**6 + steps + 3):  # not those of the browser
            started = time.perf_counter()
            client.get(f"/api/picture?{urlencode({**SLIDER, 'seed': seed})}").raise_for_status()
            times.append(time.perf_counter() - started)
    return times[3:]


#: Moves the slider of the seed, and resolves once the whole picture has been decoded.
_MOVE = """(value) => new Promise((resolve) => {
  const figure = document.getElementById("show-picture"), image = figure.querySelector("img");
  const slider = document.getElementById("seed"), started = performance.now();
  const look = () => {
    const asked = new URLSearchParams(figure.dataset.query);
    const here = asked.get("seed") === String(value) && asked.get("size") === "128";
    if (here && !figure.classList.contains("waits") && !figure.classList.contains("preview"))
      image.decode().then(() => resolve((performance.now() - started) / 1000));
    else requestAnimationFrame(look);
  };
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  look();
})"""


def slider_in_browser(address: str, steps: int) -> list[float] | None:
    """Seconds from the slider's event to the decoded picture; None without a browser."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if chromium is None:
        return None
    with sync_playwright() as driver:
        page = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page()
        page.goto(f"{address}/?{urlencode({**SLIDER, 'seed': 40})}")
        page.locator("#show-picture:not(.preview):not(.waits) img[src]").wait_for()
        moves = [1 + step % 30 for step in range(min(steps, 30))]
        return [page.evaluate(_MOVE, value) for value in moves]


def summary(times: Sequence[float]) -> str:
    """Median, quantiles and the longest, in milliseconds."""
    ordered = sorted(times)
    shares = {"90 %": 0.9, "99.9 %": 0.999} if len(ordered) > 1000 else {"90 %": 0.9}
    named = {"median": statistics.median(ordered)}
    named |= {name: ordered[int(share * (len(ordered) - 1))] for name, share in shares.items()}
    named["longest"] = ordered[-1]
    return ", ".join(f"{name} {1e3 * value:.0f} ms" for name, value in named.items())


def main() -> None:
    """Prints the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args()
    fresh = multiprocessing.get_context("spawn")
    ours, theirs = fresh.Pipe()
    server = fresh.Process(target=watch_server, args=(theirs,))
    server.start()
    address = f"http://127.0.0.1:{ours.recv()}"
    assert server.pid is not None
    print(f"load before: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}")
    times = slider_over_http(address, given.steps)
    print(f"slider to picture over HTTP, {len(times)} steps: {summary(times)}")
    if (in_browser := slider_in_browser(address, given.steps)) is not None:
        print(f"slider to picture in Chromium, {len(in_browser)} steps: {summary(in_browser)}")
    os.kill(server.pid, signal.SIGUSR1)
    time.sleep(10)
    os.kill(server.pid, signal.SIGUSR1)
    idle_load = os.getloadavg()[0]
    answers, asking = fresh.Pipe()
    crowd = fresh.Process(target=people, args=(address, given.clients, given.seconds, asking))
    crowd.start()
    statuses, seconds = answers.recv()
    crowd.join()
    print(f"load before the crowd: {idle_load:.1f}, at its end: {os.getloadavg()[0]:.1f}")
    os.kill(server.pid, signal.SIGTERM)
    told = ours.recv()
    server.join()
    print(
        f"{given.clients} clients for {given.seconds:g} s: {json.dumps(statuses, sort_keys=True)}"
    )
    print(f"pictures: {len(seconds)}, preview and whole picture: {summary(seconds)}")
    late = told["late"]
    longest = f"{1e3 * told['idle']:.0f} ms"
    print(f"event loop late: {summary(late)} of {len(late)} ticks; idle before: longest {longest}")
    print(f"peak memory of the server: {told['peak'] / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
