"""Models by name: torchvision's, timm's, Hugging Face's, the paper's, or a function in a file.

None of these libraries is imported before it is asked for. `FILE.py:function` runs the file: it is
code, and as trustworthy as whoever wrote it.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import nn

from preimage.data.checkpoints import is_checkpoint
from preimage.decoders.encoders import load_classifier
from preimage.decoders.pretrained import pretrained_encoder, read_tensors
from preimage.network.architectures import ARCHITECTURES, architecture
from preimage.network.build import Network, build
from preimage.network.weights import no_such_file, weights_kind
from preimage.probing.given_model import ModelError, OpenModel, open_network, untrained
from preimage.probing.preprocessing import RAW, Preprocessing, find_preprocessing
from preimage.probing.twins import random_twin

_SEED = 2**32 - 1  # of untrained weights; twins count from 0


def open_model(name: str, weights: str | None = None, *, seed: int = _SEED) -> OpenModel:
    """The model of a name, untrained unless `weights` are given.

    Untrained weights are the same every time, and those of no twin.

    Args:
        name: `torchvision:resnet50`, `timm:vit_base_patch16_224`, `hf:owner/name`, `vgg16`,
            `alexnet`, or `FILE.py:function`, which returns a module that takes (N, 3, H, W).
        weights: a file (.safetensors or .pth) with the model's state; `pretrained` or `imagenet`
            for the library's own, which it downloads; or a law such as `gaussian:fan-in` for
            convolutions and linear layers, their biases 0. As untrained as its library makes it if
            None.
        seed: of untrained weights and of a law.

    Raises:
        ModelError: no such model, library, file or weights.
        ValueError: no such law.
    """
    kind = weights_kind(weights) if weights else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in ARCHITECTURES:
            return _architecture(name, weights, kind, seed)
        opened = _opened(name, pretrained=kind == "pretrained")
    if weights and kind == "law":
        twin = random_twin(opened.model, seed, initialisation=weights)
        opened = replace(opened, model=twin.model)
    elif weights and kind == "file":
        opened = replace(opened, model=_with_weights(opened.model, weights))
    if not isinstance(opened.model, Network):
        return opened
    # Only now a chain: files have the names of the network's own tensors.
    return replace(open_network(opened.model), name=name, preprocessing=opened.preprocessing)


def _opened(name: str, *, pretrained: bool) -> OpenModel:
    kind, colon, rest = name.partition(":")
    openers = {"torchvision": _torchvision, "timm": _timm, "hf": _hugging_face}
    if colon and kind in openers:
        return openers[kind](rest, pretrained)
    if colon and kind.endswith(".py"):
        if pretrained:
            raise ModelError(f"`weights`: nobody publishes those of {name}; give a file.")
        return _from_file(kind, rest)
    raise ModelError(
        f"`model`: {name!r} is not known; name torchvision:NAME, timm:NAME, hf:OWNER/NAME, "
        f"FILE.py:FUNCTION or one of {', '.join(ARCHITECTURES)}."
    )


def _architecture(name: str, weights: str | None, kind: str | None, seed: int) -> OpenModel:
    """One of the paper's, with the weights that `preimage.decoders.encoders` takes."""
    description = architecture(name)
    if not weights:
        made = untrained(description)
        return OpenModel(name, made(), made, RAW)
    if kind == "law":
        network = build(description, weights, seed=seed)
    elif is_checkpoint(weights):
        network = load_classifier(weights).encoder
    else:
        network = pretrained_encoder(weights, name, description.blocks[-1], pooled=True)[0]
    return replace(open_network(network), name=name)


def _torchvision(name: str, pretrained: bool) -> OpenModel:
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:
        raise _missing("torchvision", error) from None
    try:
        weights = models.get_model_weights(name).DEFAULT
    except ValueError:
        raise ModelError(f"`model`: torchvision has no model {name!r}.") from None
    model = _made(name, lambda: models.get_model(name, weights=weights if pretrained else None))
    preprocessing = find_preprocessing(model, weights)
    return OpenModel(
        f"torchvision:{name}", model, lambda: models.get_model(name, weights=None), preprocessing
    )


def _timm(name: str, pretrained: bool) -> OpenModel:
    try:
        import timm
    except (ImportError, RuntimeError) as error:
        raise _missing("timm", error) from None
    if not timm.is_model(name.split(".")[0]):
        raise ModelError(f"`model`: timm has no model {name!r}; timm.list_models() names them.")
    model = _made(name, lambda: timm.create_model(name, pretrained=pretrained))
    return OpenModel(
        f"timm:{name}",
        model,
        lambda: timm.create_model(name, pretrained=False),
        find_preprocessing(model),
    )


def _hugging_face(name: str, pretrained: bool) -> OpenModel:
    try:
        from transformers import AutoConfig, AutoImageProcessor, AutoModel
    except (ImportError, RuntimeError) as error:
        raise _missing("transformers", error) from None
    whole: Any = AutoModel  # its functions have no hints
    config = _made(name, lambda: AutoConfig.from_pretrained(name))
    processor: Any = AutoImageProcessor
    processor = _made(name, lambda: processor.from_pretrained(name))

    def make() -> nn.Module:
        made: nn.Module = whole.from_config(config)
        return made

    model = _made(name, lambda: whole.from_pretrained(name)) if pretrained else make()
    return OpenModel(f"hf:{name}", model, make, find_preprocessing(model, processor=processor))


def _made(name: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # each library fails in its own ways, mostly for want of a network
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ModelError(
            f"`model`: {name} can't be made ({reason}); without a network give a file of weights "
            "with `weights`, or a model already in the library's cache."
        ) from None


def _missing(library: str, error: Exception) -> ModelError:
    return ModelError(
        f"`model`: {library} can't be imported ({' '.join(str(error).split())}); "
        "pip install 'preimage[models]'."
    )


def _from_file(path: str, function: str) -> OpenModel:
    if not Path(path).is_file():
        raise ModelError(f"`model`: {path}: no such file.")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelError(f"`model`: {path} fails: {type(error).__name__}: {error}.") from error
    make = getattr(module, function, None)
    if not callable(make):
        raise ModelError(f"`model`: {path} has no function {function!r}.")
    model = make()
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"`model`: {path}:{function} returns {type(model).__name__}, not a torch.nn.Module."
        )
    preprocessing: Preprocessing | None
    try:
        preprocessing = find_preprocessing(model)
    except ValueError:
        unsaid = RAW if isinstance(model, Network) else None
        preprocessing = getattr(module, "preprocessing", unsaid)
    return OpenModel(f"{path}:{function}", model, make, preprocessing)


def _with_weights(model: nn.Module, path: str) -> nn.Module:
    """The model with the state in a file, or the same encoder as `preimage pretrain` wrote it."""
    if not (isinstance(model, Network) and is_checkpoint(path)):
        load_weights(model, path)
        return model
    encoder = load_classifier(path).encoder
    # Batch normalisation is folded into the file's weights and biases.
    wanted, found = (
        network.description.with_batch_norm(False).with_bias().operations
        for network in (model, encoder)
    )
    for ours, other in zip_longest(wanted, found):
        if ours != other:
            raise ModelError(
                f"`weights`: {path} is of another network: it has {other or 'no more operations'} "
                f"where the model has {ours or 'no more operations'}."
            )
    return encoder


def load_weights(model: nn.Module, path: str) -> None:
    """Loads a model's state from a .safetensors or .pth file; nothing is unpickled.

    Raises:
        ModelError: no such file, not a file of tensors, or tensors of another model.
    """
    if not Path(path).is_file():
        raise ModelError(no_such_file(path))
    tensors = {name: value.float() if value.is_floating_point() else value
               for name, value in read_tensors(Path(path)).items()}  # fmt: skip
    state = model.state_dict()
    missing = [name for name in state if name not in tensors]
    other = [name for name in tensors if name not in state]
    wrong = [n for n in state if n in tensors and tensors[n].shape != state[n].shape]
    if missing or other or wrong:
        raise ModelError(
            f"`weights`: {path} does not fit the model: {_count(missing, 'missing')}, "
            f"{_count(other, 'unknown')}, {_count(wrong, 'of another shape')}."
        )
    model.load_state_dict(tensors)


def _count(names: list[str], what: str) -> str:
    return f"{len(names)} tensors {what}" + (f" ({names[0]}, …)" if names else "")
