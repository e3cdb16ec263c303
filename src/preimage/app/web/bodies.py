"""Bodies of uploads: counted while they come, with a limit on bytes, on time and on how many."""

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from preimage.app.web.settings import Bounds

if TYPE_CHECKING:
    from starlette.requests import Request

_CLOSE = {"connection": "close"}  # what is left of a body is not read


class Bodies:
    """Reads bodies into memory, a few at once; what waits stays with whoever sends it."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._turns = asyncio.Semaphore(bounds.uploads_at_once)
        self._waiting = 0

    async def read(self, request: "Request") -> bytes:
        """The whole body.

        Raises:
            HTTPException: 411 to 415 and 408 in words, as soon as it is known; 503 if many
                others wait.
        """
        bounds = self.bounds
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said[:20]) > bounds.upload:
            raise HTTPException(413, _too_large(bounds.upload), _CLOSE)
        if self._waiting >= bounds.waiting:
            raise HTTPException(
                503, "many uploads wait; try again.", {**_CLOSE, "retry-after": "2"}
            )
        self._waiting += 1
        try:
            async with self._turns, asyncio.timeout(bounds.body_seconds):
                return await self._all(request)
        except TimeoutError:
            raise HTTPException(
                408, f"the upload took more than {bounds.body_seconds:g} s.", _CLOSE
            ) from None
        except ClientDisconnect:
            raise HTTPException(400, "the upload was cut off.", _CLOSE) from None
        finally:
            self._waiting -= 1

    async def _all(self, request: "Request") -> bytes:
        body = bytearray()
        async for part in request.stream():
            if len(body) + len(part) > self.bounds.upload:
                raise HTTPException(413, _too_large(self.bounds.upload), _CLOSE)
            body += part
        if not body:
            raise HTTPException(400, "the upload is empty.")
        return bytes(body)


def _too_large(most: int) -> str:
    return f"the upload has more than {most / 2**20:.3g} MB, the most that this server takes."
