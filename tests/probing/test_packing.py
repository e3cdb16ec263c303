"""What goes into a folder comes out of it as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import pytest
import torch
from torch import Tensor

from preimage.probing.alignment import Placement
from preimage.probing.features import Layout
from preimage.probing.linear_rung import LayerResult
from preimage.probing.packing import pack, unpack
from preimage.probing.targets import Target


@dataclass(frozen=True)
class Curve:
    points: list[tuple[float, float]]
    at: dict[float, list[float]]
    size: tuple[int, ...]
    basis: Tensor | None = None


@dataclass(frozen=True)
class Whole:
    curves: Mapping[str, Curve]
    note: dict[str, Any]
    later: list[int] = field(default_factory=list)


def through_json(kind: type, value: Any) -> Any:
    plain, tensors = pack(value)
    return unpack(kind, json.loads(json.dumps(plain, allow_nan=False)), tensors)


def test_a_tree_of_dataclasses_comes_back() -> None:
    basis = torch.arange(6.0).view(2, 3)
    curve = Curve([(0.1, inf), (1 / 3, -1.0)], {0.5: [1.0], 2.0: []}, (3, 4, 5), basis)
    value = Whole({"a": curve, "b": Curve([], {}, ())}, {"how": None, "n": 3})
    plain, tensors = pack(value)
    assert list(tensors) == ["curves.a.basis"]
    found = unpack(Whole, json.loads(json.dumps(plain)), tensors)
    assert found == value  # the tensor is the same object
    assert isinstance(found.curves["a"].points[0], tuple)
    # A file of an earlier version lacks what has a default, and nothing else.
    del plain["later"]
    assert unpack(Whole, plain, tensors) == value
    del plain["note"]
    with pytest.raises(KeyError, match="note"):
        unpack(Whole, plain, tensors)


def test_a_layers_numbers_and_pictures() -> None:
    result = LayerResult([1.5, nan], {"bicubic": [0.1]}, ridge=1e-9, pictures=[torch.ones(3, 2, 1)])
    plain, tensors = pack({"conv1": result})
    found = unpack(dict[str, LayerResult], json.loads(json.dumps(plain)), tensors)["conv1"]
    assert list(tensors) == ["conv1.pictures.0"]
    assert found.pictures[0] is result.pictures[0]
    assert found.mse[0] == 1.5
    assert isnan(found.mse[1])
    assert (found.controls, found.ridge, found.other) == (result.controls, 1e-9, [])


@pytest.mark.parametrize("placement", [None, Placement(Fraction(7, 3), 1.5, None, "grid")])
def test_a_target(placement: Placement | None) -> None:
    target = Target("layer1", Layout("tokens", (5, 3), 3, (2, 2), 1), placement)
    assert through_json(Target, target) == target


def test_what_is_no_plain_data_is_named() -> None:
    with pytest.raises(TypeError, match=r"a\.1: set is no plain data"):
        pack({"a": [1, {2}]})
