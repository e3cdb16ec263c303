"""Training an encoder as a classifier, so that trained encoders exist for any data set."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from preimage.data.crops import Batch
from preimage.decoders.arrays import Labels, Pixels
from preimage.decoders.loop import Objective
from preimage.network.build import Network, build, fold
from preimage.network.description import Description


class Classifier(nn.Module):
    """An encoder, the mean of each of its channels, and one linear layer."""

    def __init__(self, encoder: Network, num_classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.description.out_channels, num_classes)

    def forward(self, pixels: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """One logit per class for photos in [0, 255]."""
        logits: Tensor = self.head(self.encoder(pixels).mean((2, 3)))
        return logits

    def folded(self) -> "Classifier":
        """The same function with batch normalisation folded in."""
        copy = Classifier(fold(self.encoder), self.head.out_features)
        copy.head.load_state_dict(self.head.state_dict())
        return copy.eval()


def classifier(
    description: Description, num_classes: int, *, seed: int = 0, batch_norm: bool = True
) -> Classifier:
    """A classifier before training: fan-in Gaussian weights in the encoder, zeros in the head."""
    encoder = build(description.with_batch_norm(batch_norm), "gaussian:fan-in", seed=seed)
    model = Classifier(encoder, num_classes)
    nn.init.zeros_(model.head.weight)
    nn.init.zeros_(model.head.bias)
    return model


class Classification(Objective):
    """Cross-entropy, summed over the batch."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.trained = model

    def forward(self, pixels: Pixels, labels: Labels | None) -> Float[Tensor, ""]:
        """The sum over photos of −log p(class), in nats."""
        assert labels is not None, "classification needs labels"
        return F.cross_entropy(self.trained(pixels.float()).float(), labels, reduction="sum")


@torch.inference_mode()
def accuracy(model: Classifier, batches: Iterable[Batch], device: torch.device) -> tuple[int, int]:
    """(correct, total) over labelled batches."""
    model.eval()
    right = total = 0
    for batch in batches:
        assert batch.labels is not None, "accuracy needs labels"
        found = model(batch.pixels.to(device).float()).argmax(1).cpu()
        right += int((found == batch.labels).sum())
        total += len(found)
    return right, total
