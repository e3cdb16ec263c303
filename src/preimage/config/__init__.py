"""What a run is made of, as frozen dataclasses that the command line and files fill in.

Nothing here imports torch, so that `preimage --help` answers at once.
"""

from preimage.config.commands import (
    DemoCommand,
    LimitCommand,
    ReconstructCommand,
    ReproduceCommand,
    ShapesCommand,
    ShowCommand,
)
from preimage.config.networks import (
    ArchitectureName,
    Checked,
    DeviceName,
    NetworkConfig,
    ReconstructConfig,
    parse_size,
)

__all__ = [
    "ArchitectureName",
    "Checked",
    "DemoCommand",
    "DeviceName",
    "LimitCommand",
    "NetworkConfig",
    "ReconstructCommand",
    "ReconstructConfig",
    "ReproduceCommand",
    "ShapesCommand",
    "ShowCommand",
    "parse_size",
]
