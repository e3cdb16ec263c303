"""Names of the folders that trainings and fits are kept in: digests of their settings.

The settings are spelled out flat, with every default, as they were when the first runs were made:
a name must not change, or runs made before are not found again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from preimage.decoders.options import EncoderOptions
from preimage.decoders.recipes import DECODER_INPUTS

#: Settings that no figure changes.
_DCN = {"unpool": "zeros", "head": "conv"}
_TRAINING = {
    "accumulate": 1,
    "compile": False,
    "dry_run": False,
    "measure_every": 400,
    "decoder_slope": 0.2,
    "decoder_bias": False,
}
_FIT = {"decoder": "least-squares", "window": 3, "positions": 0}


def training_name(recipe: Mapping[str, Any], encoder: EncoderOptions, data: str) -> str:
    """Of the folder of a training.

    Args:
        recipe: `recipe` (its name), `in_memory`, and what was changed in the recipe; None: nothing.
        data: the last part of the training photos' path.
    """
    default_input = DECODER_INPUTS[recipe["recipe"]]
    return _name({**_flat(encoder, default_input), **_TRAINING, **recipe, "data": data})


def fit_name(encoder: EncoderOptions, data: str, photos: int, size: int) -> str:
    """Of the file of a least-squares fit on the first `photos` squares of side `size`."""
    fitted = {**_FIT, "photos": photos, "size": size, "data": data}
    return _name({**_flat(encoder, DECODER_INPUTS["quick"]), **fitted})


def _flat(encoder: EncoderOptions, default_input: str) -> dict[str, Any]:
    options = asdict(encoder)
    spec = options.pop("spec")
    from_file = options["twin_of"] or ":" not in options["weights"]  # and its input as well
    if from_file or options["input"] == default_input:
        options["input"] = None
    return {**options, **spec, **_DCN}


def _name(settings: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]
    weights = Path(settings["weights"]).stem.replace(":", "-")
    return f"{settings['architecture']}-{settings['layer']}-{weights}-{digest}"
