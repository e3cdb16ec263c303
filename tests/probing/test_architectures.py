"""Models of three libraries from end to end: survey, targets, probe, twin; random weights."""

import math

import pytest
import torch
from torch import Tensor, nn
from zoo import ZOO

from preimage.network.trace import Alignment
from preimage.probing import Preprocessing, probe
from preimage.probing.targets import find_targets

#: Sides of photos that are not 32 pixels.
SIDES = {
    "torchvision alexnet": 64,
    "timm vit with registers": 28,
    "timm mixer": 64,
    "hf swin": 64,
}
BLOCKS = [f"blocks.{i}" for i in range(4)] + ["norm"]
#: What `auto` takes: the ends of stages, every k-th block.
TAKEN = {
    "torchvision resnet18": ["relu", "layer1", "layer2", "layer3"],
    "torchvision resnet50": ["relu", "layer1", "layer2", "layer3"],
    "torchvision vgg11": [f"features.{i}" for i in (1, 4, 9, 14, 19)],
    "torchvision mobilenet_v3_small": [f"features.{i}" for i in (0, 1, 3, 8)],
    "torchvision efficientnet_b0": [f"features.{i}" for i in (1, 2, 3, 5)],
    "torchvision regnet_y_400mf": ["stem", *(f"trunk_output.block{i}" for i in (1, 2, 3))],
    "torchvision shufflenet_v2_x0_5": ["conv1", "maxpool", "stage2", "stage3"],
    "torchvision vit": [f"encoder.layers.encoder_layer_{i}" for i in range(4)],
    "timm vit": BLOCKS,
    "timm vit with registers": BLOCKS,
    "timm deit": BLOCKS,
    "timm mixer": ["blocks.1", "blocks.3", "blocks.5", "blocks.7", "norm"],
    "timm swin": ["layers.0", "layers.1", "norm"],
    "timm convnext_atto": ["stages.0", "stages.1", "stages.2"],
    "hf dinov2 with registers": [*(f"encoder.layer.{i}" for i in range(4)), "layernorm"],
    "hf convnext": ["encoder.stages.0", "encoder.stages.1", "encoder"],
    "hf resnet": ["embedder.embedder", "encoder.stages.0", "encoder.stages.1", "encoder"],
}
PREFIX = {"timm vit with registers": 5, "timm deit": 2, "hf dinov2 with registers": 5, "hf vit": 1}


def smooth_photos(count: int, side: int) -> Tensor:
    coarse = torch.rand(count, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    return 255 * nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)


def built(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(99)  # another seed than any twin's
        return ZOO[name]()


@pytest.mark.parametrize("name", ZOO)
def test_from_end_to_end(name: str) -> None:
    model, side = built(name), SIDES.get(name, 32)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    preprocessing = Preprocessing(side, (0.5,) * 3, (0.25,) * 3)
    result = probe(model, smooth_photos(12, side), preprocessing=preprocessing, twins=1)
    assert [x.name for x in result.layers] == TAKEN.get(name, [x.name for x in result.layers])
    for layer in result.layers:
        assert math.isfinite(layer.psnr.mean)
        assert layer.layout.prefix == PREFIX.get(name, layer.layout.prefix)
        assert layer.twins[0] != layer.trained
        if layer.how == "grid":  # an evenly divided photo
            assert layer.layout.grid == (side // layer.stride, side // layer.stride)  # type: ignore[operator]
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("name", "layer", "side", "stride", "centre", "field"),
    [
        # Arithmetic: stride s and padding p move the centre by ((k − 1)/2 − p) · strides before.
        ("torchvision resnet18", "layer1", 96, 4, 0.0, 43),
        ("torchvision resnet18", "layer2", 160, 8, 0.0, 99),
        ("torchvision vgg11", "features.9", 64, 4, 1.5, 26),
        ("torchvision alexnet", "features.4", 96, 8, 7.0, 51),
        ("torchvision squeezenet1_0", "features.5", 96, 4, 5.0, 35),
        ("torchvision squeezenet1_0", "features.10", 160, 8, 9.0, 107),
    ],
)
def test_alignment_is_that_of_the_receptive_fields(
    name: str, layer: str, side: int, stride: int, centre: float, field: int
) -> None:
    (target,) = find_targets(built(name), [layer], Preprocessing(side), smooth_photos(2, side))
    assert target.placement is not None
    found = target.placement
    assert (found.how, found.stride, found.centre) == ("measured", stride, centre)
    assert found.receptive_field == field
    assert found.alignment == Alignment(stride, round((centre - (stride - 1) / 2) / stride))
