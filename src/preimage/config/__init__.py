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
from preimage.config.learning import (
    EncoderConfig,
    EvaluateCommand,
    FitCommand,
    PretrainCommand,
    TrainCommand,
)
from preimage.config.networks import (
    ArchitectureName,
    Checked,
    DeviceName,
    NetworkConfig,
    ReconstructConfig,
    parse_size,
)
from preimage.config.sweeps import Execution, SweepCommand, SweepConfig

__all__ = [
    "ArchitectureName",
    "Checked",
    "DemoCommand",
    "DeviceName",
    "EncoderConfig",
    "EvaluateCommand",
    "Execution",
    "FitCommand",
    "LimitCommand",
    "NetworkConfig",
    "PretrainCommand",
    "ReconstructCommand",
    "ReconstructConfig",
    "ReproduceCommand",
    "ShapesCommand",
    "ShowCommand",
    "SweepCommand",
    "SweepConfig",
    "TrainCommand",
    "parse_size",
]
