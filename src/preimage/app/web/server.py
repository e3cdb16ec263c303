"""A server of the page: bound before anything is computed, stopped cleanly."""

import asyncio
import gc
import logging
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from preimage.app.web.again import Again, Spell
from preimage.app.web.app import Site, create_app
from preimage.app.web.decoders import DecoderStore
from preimage.app.web.photos import PhotoStore
from preimage.app.web.requests import Asked
from preimage.app.web.security import Access, Guard, is_loopback
from preimage.app.web.settings import START, START_PHOTO, Bounds, ServeOptions
from preimage.app.web.studio import Studio
from preimage.network.device import resolve_device

_CONNECTIONS = 256  # at once
_HEADER_SECONDS = 15.0  # until the head of a request must be there
_GOODBYE_SECONDS = 3  # for answers that are under way


class Patient(H11Protocol):
    """Closes a connection whose request does not come: uvicorn alone would wait for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A browser is there."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        super().data_received(data)
        begun = self.cycle is not None and not self.cycle.response_complete
        if begun:
            self._stop_waiting()
        elif self._deadline is None and not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """A browser has gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(_HEADER_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def listen(options: ServeOptions) -> socket.socket:
    """A socket bound to the address.

    Raises:
        ValueError: there is no such address, or the port is taken or not allowed.
    """
    where = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
    except (OSError, UnicodeError) as error:
        raise ValueError(f"`host` {options.host!r:.80}: no such address ({error}).") from None
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(_CONNECTIONS)
    except OSError as error:
        bound.close()
        reason = (error.strerror or str(error)).lower()
        raise ValueError(
            f"{where} can't be listened on ({reason}); give another `port` (0 takes a free one) or "
            "`host`."
        ) from None
    return bound


def assemble(options: ServeOptions, port: int, spell: Spell) -> Guard:
    """The application of these options.

    Raises:
        CheckpointError: a decoder file can't be opened.
        ValueError: there is no such device.
    """
    bounds = Bounds(upload=options.upload_mb * 2**20)
    device = resolve_device(options.device)
    decoders = DecoderStore(options.decoder, options.model, device, bounds.decoders)
    studio = Studio(PhotoStore(bounds.stored), decoders, Again(spell), bounds)
    studio.limit(Asked(START_PHOTO, START))  # what is imported when it is first used
    access = access_to(options, port)
    site = Site(studio, bounds, options.device, sandbox=not options.no_sandbox)
    return create_app(site, access)


def access_to(options: ServeOptions, port: int) -> Access:
    """Who may ask: everyone on this machine, or everyone who knows a token that is made now."""
    if is_loopback(options.host):
        return Access.of(options.host, port, options.allow_host)
    names = (socket.gethostname(), *options.allow_host)  # the first is in the address we print
    return Access.of(options.host, port, names, secrets.token_urlsafe(24))


def serve(options: ServeOptions, spell: Spell) -> None:
    """Serves the page until Ctrl-C or SIGTERM, which end it with a KeyboardInterrupt.

    Args:
        spell: writes a command line.

    Raises:
        ValueError: the address can't be listened on; a decoder file can't be opened.
    """
    with listen(options) as bound:
        port = bound.getsockname()[1]
        app = assemble(options, port, spell)
        print(f"preimage: {address(options, port, app.access.token)} (Ctrl-C stops)", flush=True)
        with nothing_to_collect():
            server_of(app).run(sockets=[bound])


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """Spares what is there from Python's search for garbage.

    All of torch is looked through otherwise, for 0.2 s at a time, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def server_of(app: Guard) -> uvicorn.Server:
    """What speaks HTTP for the application."""
    configuration = uvicorn.Config(
        app,
        http=Patient,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Server(configuration)


def address(options: ServeOptions, port: int, token: str) -> str:
    """What to open in a browser."""
    anywhere = options.host in ("0.0.0.0", "::", "")
    host = socket.gethostname() if anywhere else options.host
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"?token={token}" if token else "")
