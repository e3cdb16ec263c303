"""What `weights` means, wherever it is asked for: a law, what others trained, or a file.

Where networks are random by definition (a limit, a grid of random networks) only a law makes sense;
the words are the same, and `Law.parse` refuses the others. Importing this does not import torch.
"""

from pathlib import Path
from typing import Literal

#: Two words for one thing: weights that torchvision, timm or Hugging Face publishes.
PRETRAINED = ("imagenet", "pretrained")
_VOCABULARY = (
    "a law such as gaussian:fan-in, imagenet or pretrained for weights that others trained, or a "
    "file"
)


def weights_kind(weights: str) -> Literal["law", "pretrained", "file"]:
    """Which of the three it is; a file of that name goes before a law.

    Raises:
        ValueError: a law that does not exist.
    """
    if weights in PRETRAINED:
        return "pretrained"
    if Path(weights).exists() or ":" not in weights:
        return "file"
    from preimage.network.laws import Law

    Law.parse(weights)
    return "law"


def no_such_file(weights: str | Path) -> str:
    """What to say where `weights` is a file that is not there."""
    return f"`weights`: {weights}: no such file; it takes {_VOCABULARY}."
