"""Addresses and options: there and back."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unchecked import unchecked

from preimage import ReconstructConfig
from preimage.app.web.requests import OPTIONS, Asked, read_query

CONFIGS = st.builds(
    ReconstructConfig,
    architecture=st.sampled_from(["vgg16", "alexnet"]),
    layer=st.sampled_from(["conv1", "conv4"]),
    pooled=st.booleans(),
    pool=st.sampled_from(["max", "avg", "l2"]),
    width=st.none() | st.integers(1, 2**20),
    width_factor=st.none() | st.floats(1e-3, 9),
    kernel_size=st.none() | st.integers(1, 999),
    slope=st.floats(-10, 10),
    head=st.sampled_from(["conv", "mean"]),
    weights=st.sampled_from(["gaussian:fan-in", "laplace:0.015"]),
    seed=st.integers(0, 2**63 - 1),
    size=st.integers(1, 16384),
)


@settings(max_examples=10)
@given(CONFIGS, st.text(max_size=9), st.text(max_size=9))
def test_there_and_back(config: ReconstructConfig, photo: str, decoder: str) -> None:
    with unchecked():
        asked = Asked(photo, config, decoder)
        assert read_query(parse_qsl(asked.query(), keep_blank_values=True)) == asked


def test_an_address_may_give_every_option_but_the_device() -> None:
    assert {*OPTIONS} == {*vars(ReconstructConfig())} - {"device"}
    with pytest.raises(ValueError, match="there is no option 'device'"):
        read_query([("device", "cuda")])


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from([*OPTIONS, "x"]), st.text(max_size=12)))
def test_any_words_are_read_or_refused_in_words(words: dict[str, str]) -> None:
    with unchecked():
        said = ""
        try:
            read_query(words.items())
        except ValueError as error:
            said = str(error)
        assert said == "" or 10 < len(said) < 400
