"""Classifiers: the loss by its definition, batch normalisation folded in, accuracy counted."""

import math

import pytest
import torch
from accelerate import Accelerator

from preimage.data.crops import Batch
from preimage.decoders.classifier import Classification, accuracy, classifier
from preimage.decoders.loop import Training
from preimage.decoders.recipes import CLASSIFIER_RECIPE
from preimage.network.architectures import vgg16

ENCODER = vgg16().cut("conv2").with_width(4).with_input((120.0,) * 3, (60.0,) * 3)


def test_a_classifier_learns_and_folding_keeps_it() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(96) % 3
    pixels = torch.randint(0, 80, (96, 3, 12, 12), generator=generator, dtype=torch.uint8)
    pixels[torch.arange(96), labels] += 100  # a class is a colour
    stream = [Batch(pixels[i : i + 32], labels[i : i + 32], []) for i in range(0, 96, 32)] * 20
    model = classifier(ENCODER.with_width(12), 3)
    recipe = CLASSIFIER_RECIPE.changed(steps=60, batch_size=32, precision="fp32")
    losses = [
        r.loss for r in Training(Classification(model), recipe, Accelerator(cpu=True)).run(stream)
    ]
    assert losses[0] == pytest.approx(math.log(3), rel=1e-4)  # a zero head
    model.eval()
    folded = model.folded()
    assert not any(conv.batch_norm for conv in folded.encoder.description.convs)
    torch.testing.assert_close(folded(pixels.float()), model(pixels.float()), rtol=1e-3, atol=1e-3)
    assert accuracy(folded, stream[:3], torch.device("cpu")) == (96, 96)


def test_the_loss_is_the_sum_of_minus_log_p(generator: torch.Generator) -> None:
    model = classifier(ENCODER, 3, batch_norm=False)
    torch.nn.init.normal_(model.head.weight, generator=generator)
    pixels = torch.randint(0, 256, (5, 3, 9, 8), generator=generator, dtype=torch.uint8)
    labels = torch.tensor([0, 2, 1, 1, 0])
    logits = model(pixels.float()).double()
    naive = -(logits.exp() / logits.exp().sum(1, keepdim=True)).log()[torch.arange(5), labels].sum()
    loss = Classification(model)(pixels, labels)
    torch.testing.assert_close(loss.double(), naive, rtol=1e-5, atol=0)


def test_accuracy_counts_over_batches() -> None:
    """A head that always says class 1: right as often as the labels are 1."""
    model = classifier(ENCODER, 3)
    model.head.bias.data = torch.tensor([0.0, 1.0, 0.0])
    pixels = torch.zeros(4, 3, 9, 8, dtype=torch.uint8)
    labels = [torch.tensor([1, 0, 2, 1]), torch.tensor([1, 1, 1, 0])]
    batches = [Batch(pixels, each, []) for each in labels]
    assert accuracy(model, batches, torch.device("cpu")) == (5, 8)
    with pytest.raises(AssertionError, match="labels"):
        accuracy(model, [Batch(pixels, None, [])], torch.device("cpu"))
