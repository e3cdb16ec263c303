"""Files that hold something else than they say: refused in a line that names it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command import run
from torch import Tensor

from preimage.data.checkpoints import Checkpoint, CheckpointError, read_checkpoint, write_checkpoint
from preimage.decoders.cards import open_card
from preimage.decoders.classifier import classifier
from preimage.decoders.encoders import load_classifier, save_classifier, trained_encoder
from preimage.decoders.inverter import Inverter
from preimage.decoders.least_squares import FitRecord, LeastSquaresDecoder
from preimage.decoders.run_folder import saved_settings
from preimage.network.architectures import vgg16
from preimage.network.build import build
from preimage.network.spec import EncoderSpec
from preimage.network.trace import Alignment

ENCODER = vgg16().cut("conv1").with_width(2)
LAW = {"law": "gaussian:fan-in", "seed": 4, "network": 1}
Change = Callable[[dict[str, Any], dict[str, Tensor]], object]


@pytest.fixture
def dcn(tmp_path: Path) -> Path:
    encoder = build(ENCODER, seed=4, network_number=1)
    return Inverter(encoder, LAW, build(ENCODER.mirror()), 0.5).save(tmp_path / "d.safetensors")


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    record = FitRecord(1.0, (1.0, 2.0), (3.0, None), 5, 1, 70)
    decoder = LeastSquaresDecoder(torch.ones(3, 2, 3, 3), torch.ones(3), Alignment(1, 0), record)
    encoder = build(ENCODER, seed=4, network_number=1)
    return Inverter(encoder, LAW, decoder).save(tmp_path / "f.safetensors")


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    card = {"classes": ["cold", "warm"], "accuracy": None, "training": {}}
    return save_classifier(tmp_path / "c.safetensors", classifier(ENCODER, 2), card)


def crafted(path: Path, kind: str, change: Change) -> Path:
    """The file after a change, its SHA-256 right."""
    found = read_checkpoint(path, kind)
    card = json.loads(json.dumps(found.card))
    change(card, found.tensors)
    return write_checkpoint(path, Checkpoint(kind, card, found.tensors))


def many(card: dict[str, Any], count: int) -> None:
    convs = card["encoder"]["description"]["operations"]
    convs[:] = [{**convs[0], "name": f"conv{index}"} for index in range(count)]


CONV = "conv1_1"
DCN: list[tuple[str, Change]] = [
    (r"decoder\.type must be one of dcn, least-squares, got 'evil'",
     lambda c, t: c["decoder"].update(type="evil")),
    (r"decoder\.type is missing", lambda c, t: c["decoder"].pop("type")),
    (r"scale must be a number above 0, got -0\.5", lambda c, t: c.update(scale=-0.5)),
    (r"scale must be a number above 0, got 0", lambda c, t: c.update(scale=0)),
    (r"scale must be a number above 0, got '2'", lambda c, t: c.update(scale="2")),
    (r"scale is missing", lambda c, t: c.pop("scale")),
    (r"encoder is missing", lambda c, t: c.pop("encoder")),
    (r"encoder must be a mapping, got \[\]", lambda c, t: c.update(encoder=[])),
    (r"encoder\.sha256 is missing", lambda c, t: c["encoder"].pop("sha256")),
    (r"encoder must have one of description and layer",
     lambda c, t: c["encoder"].update(layer={})),
    (r"encoder\.origin\.seed is missing", lambda c, t: c["encoder"]["origin"].pop("seed")),
    (r"encoder\.origin\.seed must be a nonnegative integer, got -1",
     lambda c, t: c["encoder"]["origin"].update(seed=-1)),
    (r"decoder\.description must be a mapping, got 5",
     lambda c, t: c["decoder"].update(description=5)),
    (r"operations\[0\]\.out_channels must be an integer from 1 to 1\.04858e\+06, got 10+",
     lambda c, t: c["encoder"]["description"]["operations"][0].update(out_channels=10**9)),
    (r"operations\[0\]\.stride must be an integer from 1 to 16384, got 2\.5",
     lambda c, t: c["encoder"]["description"]["operations"][0].update(stride=2.5)),
    (r"operations\[0\]\.bias must be true or false, got 'no'",
     lambda c, t: c["encoder"]["description"]["operations"][0].update(bias="no")),
    (r"operations\[0\]\.name must be up to 200 letters",
     lambda c, t: c["encoder"]["description"]["operations"][0].update(name="a.b")),
    (r"has 9,000 operations; at most 1,000 are read", lambda c, t: many(c, 9000)),
    (r"the decoder: tensor weights\.\w+ must be float32 \(.*\), got int8 \(",
     lambda c, t: t.update({name: value.to(torch.int8) for name, value in t.items()})),
    (r"the decoder: tensor weights\.\w+ must be float32 \(.*\), got float32 \(1,\)",
     lambda c, t: t.update({name: torch.ones(1) for name in t})),
    (r"the decoder: tensor weights\.\w+ holds NaN or infinite values",
     lambda c, t: t.update({name: value / 0 for name, value in t.items()})),
    (r"the decoder: weights\.\w+ and \d more missing among its tensors", lambda c, t: t.clear()),
    (r"the decoder: more among its tensors does not belong there",
     lambda c, t: t.update({"decoder.more": torch.ones(1)})),
]  # fmt: skip


@pytest.mark.parametrize(("message", "change"), DCN, ids=range(len(DCN)))
def test_a_crafted_decoder_is_refused(
    message: str, change: Change, dcn: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    crafted(dcn, "decoder", change)
    with pytest.raises(CheckpointError, match=rf"d\.safetensors: .*{message}"):
        Inverter.load(dcn)
    assert run("reconstruct", "--decoder", str(dcn), "--out", str(tmp_path / "out")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(dcn) in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (r"decoder\.fit is missing", lambda c, t: c["decoder"].pop("fit")),
        (r"decoder\.fit\.ridge must be a number from 0 on, got -1",
         lambda c, t: c["decoder"]["fit"].update(ridge=-1)),
        (r"decoder\.window must be an integer from 1 to 999, got 10",
         lambda c, t: c["decoder"].update(window=10**30)),
        (r"tensor \w+ must be float32 .*, got int8",
         lambda c, t: t.update({k: v.to(torch.int8) for k, v in t.items()})),
        (r"its decoder takes 3 channels to 3, but its encoder gives 2",
         lambda c, t: t.update({"decoder.weight": torch.ones(3, 3, 3, 3)})),
        (r"'more' is unknown", lambda c, t: c["decoder"].update(more=1)),
    ],
    ids=range(6),
)  # fmt: skip
def test_a_crafted_least_squares_decoder_is_refused(
    message: str, change: Change, fitted: Path
) -> None:
    assert isinstance(Inverter.load(fitted).decoder, LeastSquaresDecoder)
    crafted(fitted, "decoder", change)
    with pytest.raises(CheckpointError, match=rf"f\.safetensors: .*{message}"):
        Inverter.load(fitted)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (r"classes\[1\] must be a text, got 5", lambda c, t: c["classes"].__setitem__(1, 5)),
        (r"classes is missing", lambda c, t: c.pop("classes")),
        (r"accuracy\.accuracy must be a number from 0 to 1, got 2",
         lambda c, t: c.update(accuracy={"accuracy": 2, "photos": 1})),
        (r"the classifier's head: tensor \w+ must be float32 \(3.*\), got float32 \(2",
         lambda c, t: c["classes"].append("hot")),
        (r"the encoder: tensor \w+\.\w+ must be float32 .*, got int64",
         lambda c, t: t.update({k: v.long() for k, v in t.items()})),
    ],
    ids=range(5),
)  # fmt: skip
def test_a_crafted_classifier_is_refused(message: str, change: Change, classes: Path) -> None:
    assert load_classifier(classes).head.out_features == 2
    crafted(classes, "classifier", change)
    for read in (
        load_classifier,
        lambda path: trained_encoder(str(path), EncoderSpec(layer="conv1")),
    ):
        with pytest.raises(CheckpointError, match=rf"c\.safetensors: .*{message}"):
            read(classes)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"settings": {"recipe": {}}}, "step is missing"),
        ({"step": -1, "settings": {"recipe": {}}}, "step must be a nonnegative integer, got -1"),
        ({"step": 1, "settings": {}}, r"settings\.recipe is missing"),
        ({"step": 1, "settings": {"recipe": {}, "scale": -2}}, r"settings\.scale must be a number"),
    ],
)
def test_a_crafted_state_is_refused(card: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "state.safetensors", Checkpoint("training state", card, {}))
    with pytest.raises(CheckpointError, match=rf"not the card of a training state: {message}"):
        saved_settings(tmp_path)


def test_a_card_alone_is_checked_too(dcn: Path) -> None:
    assert open_card(dcn, "decoder")["scale"] == 0.5
    crafted(dcn, "decoder", lambda card, _: card.update(scale=-1))
    with pytest.raises(CheckpointError, match="scale"):
        open_card(dcn, "decoder")
