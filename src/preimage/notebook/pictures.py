"""Numbers as pictures, for anything that NumPy can read: arrays, tensors."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


def as_image(values: Any, low: float | None = None, high: float | None = None) -> "Image":
    """An 8-bit picture of (H, W), (1, H, W) or (3, H, W) values, in which `low` is black.

    Args:
        low: the values' own least if not given; likewise `high`, their greatest, which is white.
    """
    from PIL import Image

    if hasattr(values, "detach"):  # a tensor, of any device
        values = values.detach().cpu()
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 3:
        array = array[0] if len(array) == 1 else np.moveaxis(array, 0, 2)
    low = float(array.min()) if low is None else low
    high = float(array.max()) if high is None else high
    scaled = (array - low) / ((high - low) or 1.0) * 255
    return Image.fromarray(scaled.clip(0, 255).round().astype(np.uint8))
