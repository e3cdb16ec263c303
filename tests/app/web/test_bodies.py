"""Uploads that are too large, too slow, too many, or no pictures: refused in words, site alive."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from photo_files import BAD, encoded, picture
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient

from preimage.app.web.bodies import Bodies
from preimage.app.web.settings import Bounds

SMALL = Bounds(upload=5243)


def huge_png(side: int = 20_000) -> bytes:
    """A PNG of side × side black pixels, small as a file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    packer = zlib.compressobj(1)
    row = bytes(1 + side // 8)
    rows = b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def alive(client: TestClient) -> bool:
    return client.get("/api/picture?layer=conv1&width=2&size=31").status_code == 200


def test_what_is_no_picture_is_refused_in_words(make_client: Callable[..., TestClient]) -> None:
    client = make_client(sandbox=True)  # as it is served
    eps = io.BytesIO()
    picture(1).save(eps, "EPS")
    wrong = {
        **BAD,
        "huge.png": huge_png(),
        "page.html": b"<script>alert(1)</script>",
        "program.eps": eps.getvalue(),
        "cut.png": encoded(1)[:-20],
        "bytes": bytes(range(256)) * 9,
    }
    for name, data in wrong.items():
        response = client.post("/api/photos", params={"name": name}, content=data)
        said = response.json()["error"]
        assert response.status_code in (400, 422), (name, said)
        assert len(said) > 10, name
        assert "Traceback" not in said
        if name == "huge.png":
            assert said.startswith("huge.png: too many pixels (over 50,000,000)")
    assert alive(client)


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "C:\\boot.ini", "/abs", "a\n\x1b[2J.png", ""]
)
def test_names_lead_nowhere(client: TestClient, name: str) -> None:
    answer = client.post("/api/photos", params={"name": name}, content=encoded()).json()
    assert answer["name"] in ("x", "boot.ini", "abs", "a[2J.png", "photo")


def test_a_large_body_is_refused(make_client: Callable[..., TestClient]) -> None:
    client = make_client(bounds=SMALL)
    for headers in ({"content-length": str(2**30)}, {}):
        response = client.post("/api/photos", content=iter([bytes(4000)] * 9), headers=headers)
        assert response.status_code == 413
        assert "more than 0.005 MB" in response.json()["error"]
        assert response.headers["connection"] == "close"
    assert alive(client)
    assert client.post("/api/photos", content=b"").status_code == 400


def request_of(parts: AsyncIterator[bytes] | None, **headers: str) -> Request:
    """A request whose body comes as these parts; for ever late without any."""

    async def receive() -> dict[str, Any]:
        if parts is None:
            await asyncio.Event().wait()
            raise AssertionError
        async for part in parts:
            return {"type": "http.request", "body": part, "more_body": True}
        return {"type": "http.disconnect"}

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


def test_a_body_that_does_not_come_is_given_up() -> None:
    bodies = Bodies(replace(SMALL, body_seconds=0.01))
    with pytest.raises(HTTPException, match=r"408.*more than 0.01 s"):
        asyncio.run(bodies.read(request_of(None)))


def test_a_body_that_is_cut_off_is_none() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"

    with pytest.raises(HTTPException, match=r"400.*cut off"):
        asyncio.run(Bodies(SMALL).read(request_of(half())))


def test_few_bodies_are_read_at_once_and_few_wait() -> None:
    bodies = Bodies(replace(SMALL, uploads_at_once=2, waiting=3))
    asked = []

    async def body() -> AsyncIterator[bytes]:
        asked.append(1)
        await asyncio.Event().wait()
        yield b""

    async def four() -> None:
        three = [asyncio.create_task(bodies.read(request_of(body()))) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert len(asked) == 2  # the third is not read
        with pytest.raises(HTTPException, match=r"503.*try again"):
            await bodies.read(request_of(None))
        for task in three:
            task.cancel()
        await asyncio.gather(*three, return_exceptions=True)
        assert bodies._waiting == 0

    asyncio.run(four())
