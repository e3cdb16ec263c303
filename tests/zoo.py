"""Small untrained models of three libraries, none of which needs a network."""

import os
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import nn

_KEPT: list[Any] = []  # a library of operators lives as long as someone holds it


def need(library: str) -> Any:
    """A library of the extra `models`; skips the test where `make models` does not run it.

    torchvision's wheels for Linux are linked with CUDA: on a torch without it two operators are
    missing, which no model needs. They are declared here, once.
    """
    if "PREIMAGE_MODELS" not in os.environ:
        pytest.skip("run by `make models`")
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed (make models)")
    if not _KEPT and not torch.cuda.is_available():
        operators: Any = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(operators)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(library)


def _torchvision(name: str, **options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        need("torchvision")
        made: nn.Module = import_module("torchvision.models").get_model(
            name, weights=None, **options
        )
        return made

    return make


def _torchvision_class(name: str, **options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        need("torchvision")
        made: nn.Module = getattr(import_module("torchvision.models"), name)(**options)
        return made

    return make


def _timm(name: str, **options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        made: nn.Module = need("timm").create_model(name, pretrained=False, **options)
        return made

    return make


def _hugging_face(config: str, **options: Any) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        transformers = need("transformers")
        made: nn.Module = transformers.AutoModel.from_config(
            getattr(transformers, config)(**options)
        )
        return made

    return make


_TOKENS: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 32,
    "patch_size": 8,
}

#: name → how it is built.
ZOO: dict[str, Callable[[], nn.Module]] = {
    "torchvision resnet18": _torchvision("resnet18"),
    "torchvision resnet50": _torchvision("resnet50"),
    "torchvision vgg11": _torchvision("vgg11"),
    "torchvision alexnet": _torchvision("alexnet"),
    "torchvision squeezenet1_0": _torchvision("squeezenet1_0"),
    "torchvision mobilenet_v3_small": _torchvision("mobilenet_v3_small"),
    "torchvision efficientnet_b0": _torchvision("efficientnet_b0"),
    "torchvision regnet_y_400mf": _torchvision("regnet_y_400mf"),
    "torchvision shufflenet_v2_x0_5": _torchvision("shufflenet_v2_x0_5"),
    "torchvision densenet": _torchvision_class(
        "DenseNet", growth_rate=4, block_config=(2, 2, 2), num_init_features=8
    ),
    "torchvision swin": _torchvision_class(
        "SwinTransformer",
        patch_size=[4, 4],
        embed_dim=12,
        depths=[1, 1, 1],
        num_heads=[2, 2, 2],
        window_size=[4, 4],
    ),
    "torchvision vit": _torchvision_class(
        "VisionTransformer",
        image_size=32,
        patch_size=8,
        num_layers=4,
        num_heads=2,
        hidden_dim=24,
        mlp_dim=48,
    ),
    "timm vit": _timm("vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=4),
    "timm vit with registers": _timm(
        "vit_small_patch14_reg4_dinov2", img_size=28, embed_dim=24, depth=4, num_heads=2
    ),
    "timm deit": _timm("deit_tiny_distilled_patch16_224", img_size=32, embed_dim=24, depth=4),
    "timm swin": _timm(
        "swin_tiny_patch4_window7_224",
        img_size=32,
        window_size=4,
        embed_dim=12,
        depths=(1, 1, 1),
        num_heads=(2, 2, 2),
    ),
    "timm convnext_atto": _timm("convnext_atto"),
    "timm mixer": _timm("mixer_s32_224", img_size=64),
    "timm efficientnet_lite0": _timm("efficientnet_lite0"),
    "timm mobilevit_xxs": _timm("mobilevit_xxs"),
    "hf vit": _hugging_face("ViTConfig", **_TOKENS),
    "hf dinov2 with registers": _hugging_face(
        "Dinov2WithRegistersConfig", **{**_TOKENS, "num_register_tokens": 4}
    ),
    "hf convnext": _hugging_face(
        "ConvNextConfig", hidden_sizes=[8, 12, 16], depths=[1, 1, 1], num_stages=3
    ),
    "hf swin": _hugging_face(
        "SwinConfig",
        image_size=64,
        embed_dim=12,
        depths=[1, 1, 1],
        num_heads=[2, 2, 2],
        window_size=4,
    ),
    "hf resnet": _hugging_face(
        "ResNetConfig",
        embedding_size=8,
        hidden_sizes=[8, 12, 16],
        depths=[1, 1, 1],
        layer_type="basic",
    ),
}
