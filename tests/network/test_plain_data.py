import json

import pytest
from hypothesis import given
from strategies import encoders, unpools

from preimage.network.architectures import vgg16
from preimage.network.description import Description


@given(encoders(), unpools)
def test_json_round_trip(encoder: Description, unpool: str) -> None:
    network = encoder + encoder.mirror(unpool)  # type: ignore[arg-type]
    assert Description.from_json(network.to_json()) == network


def test_json_refuses_what_it_does_not_know() -> None:
    data = vgg16().cut("conv1").to_dict()
    data["operations"][0]["colour"] = "red"
    with pytest.raises(ValueError, match=r"colour"):
        Description.from_dict(data)
    data["operations"][0] = {"op": "flatten", "name": "x"}
    with pytest.raises(
        ValueError, match=r"conv, pool, unpool, crop, mean, normalise, got 'flatten'"
    ):
        Description.from_dict(data)
    with pytest.raises(ValueError, match=r"operations"):
        Description.from_json(json.dumps({"name": "x", "in_channels": 3}))


@pytest.mark.parametrize(
    "text",
    [
        "3",
        '{"name": "x", "in_channels": 3, "operations": 5}',
        '{"name": "x", "in_channels": 3, "operations": [3]}',
        '{"name": "x", "in_channels": 3, "operations": [{"op": ["x"]}]}',
        '{"name": "x", "in_channels": true, "operations": []}',
        "not JSON",
    ],
)
@pytest.mark.usefixtures("no_hint_checks")
def test_json_of_something_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Description.from_json(text)
