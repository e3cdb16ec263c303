"""What `preimage serve` is told, and what the page begins with. Nothing here imports torch."""

from dataclasses import dataclass
from typing import Annotated

from preimage.network.ranges import Positive, Range
from preimage.network.spec import Checked, DeviceName, ReconstructConfig

#: What the page shows when its address says nothing: a network that sees well, with a limit.
START = ReconstructConfig(
    layer="conv1", pooled=True, width=64, pool="avg", unpool="nearest", head="mean"
)
START_PHOTO = "chelsea"


@dataclass(frozen=True, kw_only=True)
class ServeOptions(Checked):
    """Where the page is served, what it offers and what it takes.

    Args:
        host: Address to listen on. On any but this machine's own (127.0.0.1) the page asks for a
            token, which is printed.
        port: Port to listen on; 0 takes a free one.
        decoder: Decoder files that preimage fit or preimage train wrote, to choose from on the
            page.
        model: Models that these files name, where opening one runs code or asks the network:
            FILE.py:FUNCTION or hf:OWNER/NAME. A file alone is no reason to.
        allow_host: Names by which browsers may address this server, besides localhost, IP addresses
            and the host.
        upload_mb: Largest photo or decoder that can be dropped on the page, in megabytes.
        no_sandbox: Decode photos in this process; otherwise in one of its own, with limits on
            memory, time and pixels.
        device: Where to compute; auto takes a GPU if there is one.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Range(0, 65535)] = 8765
    decoder: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    allow_host: tuple[str, ...] = ()
    upload_mb: Positive = 32
    no_sandbox: bool = False
    device: DeviceName = "auto"


@dataclass(frozen=True)
class Bounds:
    """What one server takes at most, whoever asks.

    Args:
        upload: bytes of one upload.
        body_seconds: by the clock, until an upload must be there.
        uploads_at_once: bodies that are being read; others wait.
        stored: bytes of all photos that are kept; the oldest go first.
        decoders: bytes of all uploaded decoders that are kept.
        waiting: requests that wait for one worker, or uploads that wait to be read; more are
            refused.
        cached: bytes of answers that are kept.
        multiply_adds: of one network on one photo.
        maps: bytes of one network's weights and its largest feature maps.
        windows: of max pools that are sampled for one limit.
        covariances: values of covariance maps that are computed for one limit.
    """

    upload: int = 32 * 2**20
    body_seconds: float = 30.0
    uploads_at_once: int = 4
    stored: int = 128 * 2**20
    decoders: int = 256 * 2**20
    waiting: int = 64
    cached: int = 64 * 2**20
    multiply_adds: float = 3e11
    maps: int = 2**29
    windows: int = 50_000
    covariances: float = 5e8
