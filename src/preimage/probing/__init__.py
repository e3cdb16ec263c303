"""Any layer of any model, its random twin, its controls."""

from preimage.probing.capture import LayerError
from preimage.probing.layer_encoder import LayerEncoder, layer_encoder
from preimage.probing.layer_report import LayerReport
from preimage.probing.preprocessing import RAW, Preprocessing, find_preprocessing
from preimage.probing.probe import probe
from preimage.probing.result import ProbeResult
from preimage.probing.rung_report import RungReport
from preimage.probing.rungs import DcnOptions, InversionOptions
from preimage.probing.targets import list_layers
from preimage.probing.top_magnitudes import top_magnitudes
from preimage.probing.twins import random_twin
from preimage.probing.verdict import Verdict

__all__ = [
    "RAW",
    "DcnOptions",
    "InversionOptions",
    "LayerEncoder",
    "LayerError",
    "LayerReport",
    "Preprocessing",
    "ProbeResult",
    "RungReport",
    "Verdict",
    "find_preprocessing",
    "layer_encoder",
    "list_layers",
    "probe",
    "random_twin",
    "top_magnitudes",
]
