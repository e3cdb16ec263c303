"""A module is taken as it is, a network of a description as a chain of its operations."""

import pytest
import torch
from torch import nn

from preimage import Conv, Description, Pool, build, vgg16
from preimage.probing import RAW, list_layers
from preimage.probing.given_model import ModelError, given_model, staged


def test_a_description_becomes_a_chain_of_its_operations(generator: torch.Generator) -> None:
    encoder = build(vgg16().with_width(4).cut("conv3"), seed=3)
    encoder.fast = False
    photos = 255 * torch.rand(2, 3, 21, 30, generator=generator)
    chain = staged(encoder)
    with torch.no_grad():
        assert torch.equal(chain(photos), encoder(photos))
    assert [name for name, _ in chain.named_children()][:3] == ["conv1_1", "conv1_2", "pool1"]
    names = [layer.name for layer in list_layers(encoder)]
    assert names == [name for name, _ in chain.named_children()]


def test_another_module_stays_as_it_is() -> None:
    module = nn.Conv2d(3, 2, 3)
    given, preprocessing = given_model(module, RAW)
    assert (given.name, given.model, given.make) == ("Conv2d", module, None)
    assert preprocessing == RAW
    with pytest.raises(ValueError, match="`preprocessing` is not known"):
        given_model(module)


@pytest.mark.parametrize("name", ["pool.1", "append"])
def test_a_name_that_no_module_can_have(name: str) -> None:
    network = build(Description("d", (Conv("a", 2), Pool(name))))
    with pytest.raises(ModelError, match=f"can't become a module .*{name}.*; rename it"):
        given_model(network)
