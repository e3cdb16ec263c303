"""The line at infinite width in a probe: what `retention` computes, and who has none."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from preimage import Conv, Description, Pool, build, vgg16
from preimage.data.html import template
from preimage.probing import RAW, probe
from preimage.probing.given_model import staged
from preimage.probing.infinite_width import described
from preimage.probing.models import open_model
from preimage.probing.page import SECTIONS
from preimage.probing.result import ProbeResult
from preimage.retention.infinite import retention
from preimage.retention.layer import KernelOptions
from preimage.retention.positions import Sampling

pytestmark = pytest.mark.usefixtures("no_hint_checks")

OPTIONS = KernelOptions(sampling=Sampling(positions=40, held_out=20, tile=2), threads=1)
ENCODER = Description(
    "small",
    (Conv("conv1_1", 6, slope=0.2), Conv("conv1_2", 6, slope=0.2), Pool("pool1", "max")),
)


def model(network_number: int = 0) -> nn.Sequential:
    return staged(build(ENCODER, seed=3, network_number=network_number))


def drawn() -> nn.Sequential:
    return model(int(torch.randint(1, 1000, ())))


@cache
def photos() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    small = 255 * torch.rand(16, 3, 4, 4, generator=generator)
    return nn.functional.interpolate(small, size=(16, 16), mode="bicubic").clamp(0, 255).round()


@cache
def probed() -> ProbeResult:
    return probe(
        model(),
        photos(),
        ["conv1_1", "conv1_2", "pool1"],
        preprocessing=replace(RAW, size=16),
        initialisation=drawn,
        twins=2,
        infinite_width=OPTIONS,
    )


def test_the_line_and_the_network_are_those_of_retention() -> None:
    network = build(ENCODER, seed=3)
    pixels = photos().byte()
    names = ["conv1_1", "conv1_2"]
    expected = retention(network, pixels[:12], pixels[12:], names, size=16, options=OPTIONS)
    for name, other in zip(names, expected.layers, strict=True):
        found = probed().infinite_width[name]
        assert found.positions == other.positions == (40, 20)
        assert found.line == [pytest.approx(other.mse)]
        assert found.trained == pytest.approx(other.network_mse)
        assert len(found.twins) == 2
        assert all(twin > found.line[0] for twin in found.twins)
        row = found.row(name)
        gap = row["trained"] - row["infinite_width"]
        assert row["difference"] == pytest.approx(gap)
        assert 0 < row["difference_half_width"] < 10
        assert gap < 0


def test_a_network_of_a_description_is_a_model() -> None:
    """Its operations are layers, and its twins are drawn, unless they are given."""
    given = {"preprocessing": replace(RAW, size=16), "twins": 2}
    network, names = build(ENCODER, seed=3), ["conv1_1", "conv1_2"]
    found = probe(network, photos(), names, **given, initialisation=drawn, infinite_width=OPTIONS)
    for name in names:
        assert found[name].trained == probed()[name].trained
        assert found[name].twins == probed()[name].twins
        assert found.infinite_width[name] == probed().infinite_width[name]
    assert found.record["model"] == "small"
    again = probe(network, photos(), names[0], **given)[names[0]]
    assert again.trained == found[names[0]].trained
    assert again.twins[0] != again.twins[1] != found[names[0]].twins[1]


def test_a_decoder_is_no_model() -> None:
    with pytest.raises(ValueError, match="unpool1 enlarges or crops features"):
        probe(build(ENCODER + ENCODER.mirror("nearest")), photos(), preprocessing=RAW)


def test_a_layer_without_a_kernel_says_so_and_the_rest_stays() -> None:
    assert "nothing random follows" in probed().infinite_width["pool1"].missing
    assert "nothing random follows" in str(probed())
    rows = probed().to_dict()["infinite_width"]
    assert [row["missing"] is None for row in rows] == [True, True, False]
    json.dumps(rows)


def test_the_page_has_a_section_and_others_do_not() -> None:
    (section,) = (each for each in SECTIONS if each.anchor == "infinite-width")
    content = section.content(probed())
    assert content is not None
    page = template("preimage.probing", section.template).render(**content)
    assert "<th>twins, dB</th>" in page
    assert "No line: pool1: nothing random follows" in page
    without = replace(probed(), infinite_width={})
    assert section.content(without) is None
    assert "infinite_width" not in without.to_dict()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": nn.Sequential(nn.Conv2d(3, 4, 3))}, "no chain of this package's operations"),
        ({"preprocessing": replace(RAW, scale=255.0, size=16)}, r"pixels in \[0, 255\]"),
        ({"window": 3}, "single positions"),
        ({"infinite_width": replace(OPTIONS, sampling=Sampling(9999, 4))}, "fewer than 9,999"),
    ],
)
def test_what_has_no_line_is_refused_beforehand(changed: dict[str, object], said: str) -> None:
    given = {
        "model": model(),
        "photos": photos(),
        "layers": "0" if "model" in changed else "conv1_1",
        "preprocessing": replace(RAW, size=16),
        "twins": 0,
        "infinite_width": OPTIONS,
    }
    with pytest.raises(ValueError, match=said):
        probe(**{**given, **changed})


def test_a_part_of_an_operation_has_no_line() -> None:
    network = build(ENCODER.with_batch_norm())
    given = {"preprocessing": replace(RAW, size=16), "twins": 0, "infinite_width": OPTIONS}
    with pytest.raises(ValueError, match=r"layer conv1_1.norms.conv1_1 is no operation; name some"):
        probe(network, photos(), ["conv1_1*"], **given)


def test_the_papers_networks_have_descriptions() -> None:
    assert described(open_model("alexnet").model).layers[0] == "conv1"


def test_a_function_in_a_file_may_build_one(tmp_path: Path) -> None:
    """As a model by name; its twins are drawn, though the function always builds the same."""
    words = "from preimage import build, vgg16\n"
    words += "def make():\n    return build(vgg16().cut('conv1').with_width(2), seed=3)\n"
    (tmp_path / "m.py").write_text(words)
    opened = open_model(f"{tmp_path / 'm.py'}:make")
    network, pixels = build(vgg16().cut("conv1").with_width(2), seed=3), photos()[:2]
    assert described(opened.model).operations == network.description.operations
    assert opened.preprocessing == RAW
    assert torch.equal(opened.model(pixels), network(pixels))
    assert opened.make is not None
    assert not torch.equal(opened.make()(pixels), opened.make()(pixels))
