"""The routes: each reads a request, asks the studio in a worker thread, and answers in words."""

import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from preimage._version import __version__
from preimage.app.web.bodies import Bodies
from preimage.app.web.cache import Cache
from preimage.app.web.controls import LABELS
from preimage.app.web.lanes import Busy, Lane, Stale
from preimage.app.web.page import STATIC, page
from preimage.app.web.pictures import png
from preimage.app.web.requests import Asked, read_query
from preimage.app.web.security import Access, Guard
from preimage.app.web.settings import Bounds
from preimage.app.web.studio import NoLimit, Studio
from preimage.data.photo import clipped_image
from preimage.data.sandbox import Limits, sandboxed
from preimage.network.spec import DeviceName

_log = logging.getLogger(__name__)
_PRIVATE = {"cache-control": "private, max-age=600"}
#: Of pictures from strangers.
_PICTURES = Limits(memory=2**29, seconds=10.0)


class Site:
    """The state of one server: the studio, its workers, what they answered last."""

    def __init__(
        self, studio: Studio, bounds: Bounds, device: DeviceName = "auto", *, sandbox: bool = True
    ) -> None:
        self.studio = studio
        self.device = device
        self.sandbox = sandbox
        self.bodies = Bodies(bounds)
        #: Pictures; what may take longer, such as limits; and files of strangers.
        self.quick, self.slow, self.opening = (
            Lane(name, bounds.waiting) for name in ("quick", "slow", "opening")
        )
        self._answers = Cache[bytes](bounds.cached)

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """While the server runs."""
        async with AsyncExitStack() as stack:
            if self.sandbox:
                stack.enter_context(sandboxed(_PICTURES))
            for lane in (self.quick, self.slow, self.opening):
                stack.callback(lane.close)
            yield

    # --- pages -----------------------------------------------------------------------------------

    async def index(self, request: Request) -> Response:
        """The page."""
        return Response(
            page(self.studio.decoders.all(), self.bodies.bounds.upload), media_type="text/html"
        )

    async def static(self, request: Request) -> Response:
        """One of the files that stand beside this one; the name is a key, not a path."""
        file = STATIC.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404, "there is no such file.")
        headers = {"cache-control": "no-cache", "etag": file.etag}
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        return Response(file.data, media_type=file.kind, headers=headers)

    async def health(self, request: Request) -> Response:
        """That the server answers, and how many wait."""
        waiting = self.quick.waiting + self.slow.waiting
        return JSONResponse({"status": "ok", "version": __version__, "waiting": waiting})

    # --- answers ---------------------------------------------------------------------------------

    async def picture(self, request: Request) -> Response:
        """What comes back of a photo."""
        return await self._json(request, self.quick, "picture", self.studio.picture)

    async def strip(self, request: Request) -> Response:
        """The same for one of many small pictures, which can wait."""
        return await self._json(request, self.slow, "picture", self.studio.picture)

    async def limit(self, request: Request) -> Response:
        """The infinite-width limit and the difference from it."""
        return await self._json(request, self.slow, "limit", self.studio.limit)

    async def record(self, request: Request) -> Response:
        """The record, to be kept."""
        answer = await self._json(request, self.quick, "record", self.studio.record)
        answer.headers["content-disposition"] = 'attachment; filename="preimage.json"'
        return answer

    async def png(self, request: Request) -> Response:
        """The picture as a file; with `raw`, the network's own output in colour."""
        asked, extra = self._asked(request, {"raw"})
        colour = extra.get("raw") == "true"
        data = await self._computed(
            request,
            self.quick,
            ("png", asked, colour),
            lambda: png(self.studio.image(asked, colour)),
        )
        headers = {**_PRIVATE, "content-disposition": 'attachment; filename="preimage.png"'}
        return Response(data, media_type="image/png", headers=headers)

    async def photo(self, request: Request) -> Response:
        """The photo as the network sees it."""
        asked, _ = self._asked(request)
        photos = self.studio.photos
        size = min(asked.config.size, 1024)

        def show() -> bytes:
            return png(clipped_image(photos.load(asked.photo, size).pixels))

        data = await self._computed(request, self.quick, ("photo", asked.photo, size), show)
        return Response(data, media_type="image/png", headers=_PRIVATE)

    # --- uploads ---------------------------------------------------------------------------------

    async def add_photo(self, request: Request) -> Response:
        """Keeps a photo in memory."""
        name, data = request.query_params.get("name", ""), await self.bodies.read(request)
        upload = await self.opening.run(
            lambda: self.studio.photos.add(name, data), lambda: _is_wanted(request)
        )
        return JSONResponse({"id": upload.id, "name": upload.name}, 201)

    async def add_decoder(self, request: Request) -> Response:
        """Keeps a decoder in memory."""
        name, data = request.query_params.get("name", ""), await self.bodies.read(request)
        decoder = await self.opening.run(
            lambda: self.studio.decoders.add(name, data), lambda: _is_wanted(request)
        )
        return JSONResponse({"id": decoder.id, "name": decoder.file}, 201)

    # --- how -------------------------------------------------------------------------------------

    def _asked(
        self, request: Request, extra: set[str] | frozenset[str] = frozenset()
    ) -> tuple[Asked, dict[str, str]]:
        pairs = request.query_params.multi_items()
        more = {name: word for name, word in pairs if name in extra}
        return read_query([pair for pair in pairs if pair[0] not in extra], self.device), more

    async def _json(
        self, request: Request, lane: Lane, kind: str, work: Callable[[Asked], Mapping[str, Any]]
    ) -> Response:
        asked, _ = self._asked(request)

        def answer() -> bytes:
            return json.dumps(work(asked), ensure_ascii=False, allow_nan=False).encode()

        data = await self._computed(request, lane, (kind, asked), answer)
        return Response(data, media_type="application/json")

    async def _computed(
        self, request: Request, lane: Lane, key: object, work: Callable[[], bytes]
    ) -> bytes:
        """The answer, from memory if it was given before."""

        def kept_or_new() -> bytes:
            if (kept := self._answers.get(key)) is not None:
                return kept
            data = work()
            self._answers.put(key, data, len(data))
            return data

        if (kept := self._answers.get(key)) is not None:
            return kept
        return await lane.run(kept_or_new, lambda: _is_wanted(request))


async def _is_wanted(request: Request) -> bool:
    return not await request.is_disconnected()


def create_app(site: Site, access: Access) -> Guard:
    """The application, behind its guard."""
    routes = [
        Route("/", site.index),
        Route("/health", site.health),
        Route("/static/{name}", site.static),
        Route("/api/picture", site.picture),
        Route("/api/strip", site.strip),
        Route("/api/limit", site.limit),
        Route("/api/photos", site.add_photo, methods=["POST"]),
        Route("/api/decoders", site.add_decoder, methods=["POST"]),
        Route("/photo.png", site.photo),
        Route("/picture.png", site.png),
        Route("/record.json", site.record),
    ]
    handlers: dict[Any, Any] = {
        HTTPException: _http_error,
        ValueError: _wrong_input,
        NoLimit: _no_limit,
        Busy: _busy,
        Stale: _stale,
        Exception: _bug,
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=site.running)
    return Guard(app, access)


# --- what went wrong, in words -------------------------------------------------------------------


async def _http_error(request: Request, error: HTTPException) -> Response:
    said = {404: "there is nothing here.", 405: "this is not how to ask for it."}
    words = error.detail
    if error.detail in ("Not Found", "Method Not Allowed"):
        words = said[error.status_code]
    return _said(words, error.status_code, error.headers)


async def _wrong_input(request: Request, error: ValueError) -> Response:
    return _said(str(error), 422)


async def _no_limit(request: Request, error: NoLimit) -> Response:
    return JSONResponse({"none": _spelled(str(error))})


async def _busy(request: Request, error: Busy) -> Response:
    return _said("the server is busy; it will be tried again.", 503, {"retry-after": "1"})


async def _stale(request: Request, error: Stale) -> Response:
    return _said("nobody waits for this any more.", 499)


async def _bug(request: Request, error: Exception) -> Response:
    return _said("something went wrong here that should not; the server's log says what.", 500)


def _said(words: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": _spelled(words)}, status, dict(headers or {}))


def _spelled(words: str) -> str:
    """Arguments in backticks as the page calls them, and a capital to begin with."""
    once = " ".join(words.split())
    named = re.sub(r"`(\w+)`", lambda found: LABELS.get(found[1], found[1]), once)
    is_word = named.partition(" ")[0].isalpha()  # and not the name of a file
    return named[:1].upper() + named[1:] if is_word else named
