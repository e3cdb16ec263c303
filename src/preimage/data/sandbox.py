"""Pictures of strangers, decoded in a process of its own with limits on memory, time and pixels.

A decoder that is led astray by a crafted file then runs out of its own memory or time, and not out
of the machine's. What comes back is read as plain pixels and as text, never unpickled.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Timer
from typing import IO

from PIL import Image

from preimage.data import decoding, large_pictures
from preimage.data.entries import PhotoError

_ASKED = struct.Struct("<Qq")  # bytes of the file; side, or -1
_TOLD = struct.Struct("<?II")  # whether it went well; width and height, or bytes of a message and 0
_LONGEST_MESSAGE = 10_000  # bytes
_SERVE = "import sys; from preimage.data.sandbox import serve; serve(*map(int, sys.argv[1:]))"
_START = 300.0  # seconds; until the process has imported what it needs
_READY = b"ready"


@dataclass(frozen=True)
class Limits:
    """What a picture may take to be decoded.

    Args:
        memory: bytes, besides what the process needs to run.
        seconds: by the clock.
        pixels: of the picture as it is in the file.
    """

    memory: int = 2**30
    seconds: float = 20.0
    pixels: int = 50_000_000


@contextmanager
def sandboxed(limits: Limits | None = None) -> Iterator[None]:
    """Within this block all pictures of this process are decoded in another one.

    A picture that breaks a limit or its decoder is a `PhotoError` of one line like any other that
    cannot be read. On systems without `resource` (Windows) memory has no limit.
    """
    sandbox = _Sandbox(limits or Limits())
    before = decoding.decode_elsewhere(sandbox.decode)
    try:
        yield
    finally:
        decoding.decode_elsewhere(before)
        sandbox.close()


class _Sandbox:
    """The process, started with the first picture and again after one that broke it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def decode(self, data: bytes, side: int | None) -> Image.Image:
        """As `decoding.read_image`, of bytes.

        Raises:
            PhotoError: without the picture's name, which the caller knows.
        """
        with self._lock:
            process = self._process or self._start()
            try:
                return self._exchange(process, data, side)
            except PhotoError:
                raise
            except (OSError, EOFError, struct.error):
                self.close()
                raise PhotoError(_end(process.returncode)) from None

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        limits = [str(self.limits.memory), str(self.limits.pixels)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where a crash is told at length
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        with self._within(self._process, _START):
            assert self._process.stdout is not None
            _read(self._process.stdout, len(_READY))
        return self._process

    def _exchange(
        self, process: subprocess.Popen[bytes], data: bytes, side: int | None
    ) -> Image.Image:
        assert process.stdin is not None
        assert process.stdout is not None
        with self._within(process, self.limits.seconds):
            process.stdin.write(_ASKED.pack(len(data), -1 if side is None else side) + data)
            process.stdin.flush()
            well, width, height = _TOLD.unpack(_read(process.stdout, _TOLD.size))
            if not well:
                text = _read(process.stdout, min(width, _LONGEST_MESSAGE))
                raise PhotoError(text.decode(errors="replace"))
            most = max(self.limits.pixels, (side or 0) ** 2)
            if width * height > most:
                raise EOFError
            pixels = _read(process.stdout, 3 * width * height)
            return Image.frombytes("RGB", (width, height), pixels)

    @contextmanager
    def _within(self, process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
        """Ends the process after some seconds."""
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            process.kill()

        timer = Timer(seconds, end)
        timer.start()
        try:
            yield
        except (OSError, EOFError, struct.error):
            if not late:
                raise
            self.close()
            raise PhotoError(f"takes more than {seconds:g} s to decode.") from None
        finally:
            timer.cancel()


def _end(code: int | None) -> str:
    return f"breaks its decoder (exit code {code})."


def _read(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


# --- in the other process ------------------------------------------------------------------------


def serve(memory: int, pixels: int) -> None:
    """Decodes what comes on stdin until it ends."""
    large_pictures.allow(pixels)
    _limit(memory)
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    told.write(_READY)
    told.flush()
    while len(head := asked.read(_ASKED.size)) == _ASKED.size:
        length, side = _ASKED.unpack(head)
        data = asked.read(length)
        told.write(_answer(data, None if side < 0 else side, memory))
        told.flush()


def _answer(data: bytes, side: int | None, memory: int) -> bytes:
    try:
        image = decoding.read_image("", lambda: data, side)
        return _TOLD.pack(True, *image.size) + image.tobytes()
    except MemoryError:
        text = _too_much(memory)
    except PhotoError as error:
        out_of_memory = isinstance(error.__context__, MemoryError)
        text = _too_much(memory) if out_of_memory else str(error).removeprefix(": ")
    message = text.encode()[:_LONGEST_MESSAGE]
    return _TOLD.pack(False, len(message), 0) + message


def _too_much(memory: int) -> str:
    return f"takes more than {memory / 1e6:,.0f} MB of memory to decode."


def _limit(memory: int) -> None:
    """Limits this process to so many bytes more than it has; it writes no file and no core dump."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))
