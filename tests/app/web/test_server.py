"""A real server on a real port: what comes slowly, too long or not at all; start and stop."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from command import run
from unchecked import unchecked
from web_site import make_site

from preimage.app.web import server as module
from preimage.app.web.app import Site, create_app
from preimage.app.web.requests import Asked
from preimage.app.web.security import Access, Guard
from preimage.app.web.server import access_to, address, listen, server_of
from preimage.app.web.settings import Bounds, ServeOptions

LOCAL = ("127.0.0.1", "localhost", "::1")
BOUNDS = Bounds(upload=10_000, body_seconds=0.2)


@pytest.fixture(scope="module")
def site() -> Site:
    return make_site(BOUNDS)


@pytest.fixture(scope="module")
def port(site: Site) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch, listen(ServeOptions(port=0)) as bound:
        patch.setattr(module, "_HEADER_SECONDS", 0.2)
        number = bound.getsockname()[1]
        server = server_of(create_app(site, Access.of("127.0.0.1", number)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield number
        server.should_exit = True
        thread.join()


def send(port: int, *parts: bytes, patience: float = 20.0) -> str:
    """All that is answered to these bytes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        answered = b""
        try:
            for part in parts:
                connection.sendall(part)
            while received := connection.recv(65536):
                answered += received
        except ConnectionError:  # closed while we were still sending
            pass
        return answered.decode(errors="replace")


def head(port: int, method: str, path: str, *lines: str) -> bytes:
    text = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines])
    return text.encode() + b"\r\n\r\n"


def is_alive(port: int) -> bool:
    return '"status":"ok"' in send(port, head(port, "GET", "/health", "Connection: close"))


def test_a_gigabyte_is_refused_when_it_is_announced(port: int) -> None:
    answer = send(port, head(port, "POST", "/api/photos", "Content-Length: 1073741824"), b"x" * 99)
    assert answer.startswith("HTTP/1.1 413")
    assert "connection: close" in answer.lower()
    assert is_alive(port)


def test_a_gigabyte_in_pieces_is_refused_when_it_is_too_much(port: int) -> None:
    pieces = [b"10000\r\n" + bytes(65536) + b"\r\n"] * 2**14
    answer = send(port, head(port, "POST", "/api/photos", "Transfer-Encoding: chunked"), *pieces)
    assert answer[:12] in ("HTTP/1.1 413", "")  # lost where the connection was reset first
    assert is_alive(port)


def test_what_does_not_come_is_given_up(port: int) -> None:
    late = head(port, "POST", "/api/photos", "Content-Length: 99") + b"only this"
    assert send(port, late).startswith("HTTP/1.1 408")
    assert send(port, b"") == ""  # a connection that asks for nothing
    assert send(port, b"GET / HTTP/1.1\r\nHost: 127") == ""
    assert is_alive(port)


def test_what_is_no_request_is_refused(port: int) -> None:
    for wrong in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        assert send(port, wrong)[:12] in ("HTTP/1.1 400", "HTTP/1.1 421", ""), wrong[:40]
    assert is_alive(port)


def test_what_nobody_waits_for_is_not_computed(
    port: int, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, held, asked = threading.Event(), threading.Event(), []

    def picture(what: Asked) -> dict[str, Any]:
        asked.append(what.config.seed)
        begun.set()
        held.wait(60)
        return {}

    monkeypatch.setattr(site.studio, "picture", picture)
    before = site.quick.dropped
    connections = []
    for seed in range(6):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(head(port, "GET", f"/api/picture?seed={seed}"))
        connections.append(connection)
        assert begun.wait(60)  # the first is computed, the others queue up
    while site.quick.waiting < 6:
        time.sleep(0.01)
    for connection in connections[1:5]:
        connection.close()
    while not is_alive(port):  # it has seen that they have gone
        time.sleep(0.01)
    held.set()
    assert connections[5].recv(12) == b"HTTP/1.1 200"
    assert (asked, site.quick.dropped - before) == ([0, 5], 4)
    for connection in connections:
        connection.close()


def test_a_port_that_is_taken_and_a_host_that_is_none(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (
        (["--port", str(port)], f"127.0.0.1:{port} can't be listened on"),
        (["--port", "70000"], "--port"),
        (["--port", "http"], "--port"),
        (["--host", "nowhere.invalid"], "--host 'nowhere.invalid': no such address"),
        (["--port", "0", "--decoder", "nowhere.safetensors"], "nowhere.safetensors: no such file"),
    ):
        assert run("serve", *words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert said in err, err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("preimage.app.cli.serve.find_spec", lambda name: None)
    assert run("serve") == 2
    assert "pip install 'preimage[serve]'" in capsys.readouterr().err


def test_the_address_that_is_printed_is_one_that_is_answered() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "192.0.2.7", "lab.example"):
        options = ServeOptions(host=host)
        access = access_to(options, 8765)
        parts = urlsplit(address(options, 8765, access.token))
        assert access.is_ours(parts.netloc)
        asked = {"query_string": parts.query.encode()}
        assert bool(access.token) == (access.welcome(asked) is not None) == (host not in LOCAL)


def test_the_address_that_is_printed() -> None:
    assert address(ServeOptions(), 80, "") == "http://127.0.0.1:80/"
    assert address(ServeOptions(host="::1"), 80, "t") == "http://[::1]:80/?token=t"
    assert address(ServeOptions(host="0.0.0.0"), 80, "t").startswith(
        f"http://{socket.gethostname()}"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_it(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    made: list[uvicorn.Server] = []

    def make(app: Guard) -> uvicorn.Server:
        made.append(server_of(app))
        return made[0]

    def stop() -> None:
        while not (made and made[0].started):
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(module, "server_of", make)
    threading.Thread(target=stop).start()
    with unchecked():
        assert run("serve", "--port", "0") == 0
    out, err = capsys.readouterr()
    assert out.startswith("preimage: http://127.0.0.1:")
    assert err == "preimage: stopped.\n"
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
