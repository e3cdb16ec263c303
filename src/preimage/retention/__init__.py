"""What the layers of a random network retain, at infinite width and on the way there."""

from preimage.retention.filters import FilterClasses
from preimage.retention.infinite import retention
from preimage.retention.layer import KernelOptions
from preimage.retention.layer_retention import LayerRetention
from preimage.retention.mixture import MixtureCurve
from preimage.retention.positions import Sampling
from preimage.retention.result import Retention
from preimage.retention.width import Radii, WidthCurve

__all__ = [
    "FilterClasses",
    "KernelOptions",
    "LayerRetention",
    "MixtureCurve",
    "Radii",
    "Retention",
    "Sampling",
    "WidthCurve",
    "retention",
]
