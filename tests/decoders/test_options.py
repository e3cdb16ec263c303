"""Option sets: the descriptions they stand for, without torch."""

import subprocess
import sys

import pytest

from preimage.decoders.options import (
    DataOptions,
    DecoderOptions,
    EncoderOptions,
    MachineOptions,
    with_input,
)
from preimage.network.architectures import vgg16
from preimage.network.operations import Normalise
from preimage.network.spec import EncoderSpec

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def test_the_default_encoder_is_the_papers_vgg16_up_to_conv3() -> None:
    expected = vgg16().with_activation(0.2).cut("conv3").with_input(MEAN, STD)
    assert EncoderOptions().description().operations == expected.operations


@pytest.mark.parametrize(
    ("name", "mean", "std"), [("imagenet", MEAN, STD), ("mean-subtracted", MEAN, (1.0,) * 3)]
)
def test_input_is_the_first_operation(
    name: str, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    first = with_input(vgg16().cut("conv1"), name).operations[0]
    assert isinstance(first, Normalise)
    assert (first.mean, first.std) == (mean, std)


def test_raw_pixels_go_in_as_they_are() -> None:
    spec = EncoderSpec(layer="conv1")
    assert EncoderOptions(spec=spec, input="raw").description() == spec.encoder()


def test_the_decoder_mirrors_the_encoder() -> None:
    encoder = vgg16().cut("conv2")
    found = DecoderOptions(unpool="bilinear", slope=0.4, bias=True).description(encoder)
    assert found == encoder.mirror("bilinear").with_activation(0.4).with_bias()
    assert DecoderOptions().description(encoder) == encoder.mirror("zeros").with_activation(0.2)


@pytest.mark.usefixtures("no_hint_checks")
@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            EncoderOptions,
            {"input": "grey"},
            "`input` must be one of imagenet, mean-subtracted, raw",
        ),
        (EncoderOptions, {"seed": -1}, "`seed` must be a nonnegative integer, got -1"),
        (DecoderOptions, {"unpool": "max"}, "`unpool` must be one of"),
        (DataOptions, {"in_memory": -64}, "`in_memory` must be an integer from 0 to 16384"),
        (MachineOptions, {"device": "tpu"}, "`device` must be one of auto, cpu, cuda, got 'tpu'"),
    ],
)
def test_wrong_values_name_the_field(kind: type, values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        kind(**values)


def test_importing_options_needs_no_torch() -> None:
    """So that a command line's help answers at once."""
    names = "preimage.decoders.options, preimage.decoders.recipes"
    code = f"import sys, {names}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
