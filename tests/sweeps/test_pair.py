import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from preimage.data.each_photo import Interrupted
from preimage.data.photo import Photo, embedded_photos
from preimage.data.photos import load_photos
from preimage.network.build import build
from preimage.network.description import Description
from preimage.network.operations import Conv, Pool, UnpoolKind
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import input_sizes
from preimage.sweeps.pair import RandomPair, reconstruct, run_record
from preimage.sweeps.reconstruction import Reconstruction, Reconstructions
from preimage.sweeps.trials import run_trials, summarise

SMALL = ReconstructConfig(layer="conv2", width_factor=0.1, size=40)


def test_reconstruct_is_the_network_on_the_pixels() -> None:
    photo = embedded_photos(40)[1]
    result = reconstruct(config=SMALL, unpool="nearest", seed=5)[1]
    network = build(replace(SMALL, unpool="nearest").network(), "gaussian:0.1", seed=5)
    with torch.inference_mode():
        output = network(photo.pixels[None])[0]
    torch.testing.assert_close(result.colour, output)
    assert result.photo.sha256 == photo.sha256
    assert result.grey.shape == (40, 40)
    assert (result.grey.min(), result.grey.max()) == (0, 1)


def test_files_of_any_size(tmp_path: Path) -> None:
    Image.new("RGB", (33, 52), "orange").save(tmp_path / "a.png")
    (result,) = reconstruct(tmp_path / "a.png", SMALL, size=0, head="mean")
    assert result.colour.shape == (1, 52, 33)
    result.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (33, 52)


def test_mean_subtraction() -> None:
    """The mean is torchvision's, the one that trained encoders use."""
    mean = 255 * torch.tensor([0.485, 0.456, 0.406])
    photo = embedded_photos(40)[0]
    result = RandomPair(replace(SMALL, input="mean-subtracted"))(photo)
    pixels = photo.pixels - mean[:, None, None]
    expected = RandomPair(SMALL)(replace(photo, pixels=pixels))
    torch.testing.assert_close(result.colour, expected.colour)


def test_the_same_seed_gives_the_same_bits() -> None:
    first, second = (RandomPair(SMALL)(embedded_photos(40)[0]) for _ in range(2))
    assert torch.equal(first.colour, second.colour)
    other = RandomPair(replace(SMALL, network_number=1))(embedded_photos(40)[0])
    assert (first.colour - other.colour).norm() > first.colour.norm() / 2


def test_trials_share_their_encoder_and_nothing_else() -> None:
    """A trial alone, and the same trial among others in another order, give the same numbers."""
    photos = embedded_photos(40)[:2]
    configs = [
        replace(SMALL, unpool=unpool, head=head, network_number=number)
        for number in (0, 7)
        for unpool in ("zeros", "nearest")
        for head in ("conv", "mean")
    ]
    together = {trial.config: trial for trial in run_trials(configs, photos)}
    assert list(together) == configs
    for config in reversed(configs):
        (alone,) = run_trials([config], photos)
        for a, b in zip(alone.reconstructions, together[config].reconstructions, strict=True):
            assert torch.equal(a.colour, b.colour)
            assert a.record() == b.record()


def test_layers_share_their_cnn_as_far_as_they_go() -> None:
    """A layer alone, and the same layer on the way to deeper ones, give the same bits."""
    photos = embedded_photos(40)[:2]
    configs = [
        replace(SMALL, layer=layer, unpool=unpool, head=head)
        for layer in ("conv3", "conv1", "conv2")
        for unpool, head in (("zeros", "mean"), ("nearest", "conv"), ("nearest", "mean"))
    ]
    pair = RandomPair(*configs)
    # Each has a part of the CNN, two bodies and three heads; Conv1 has no unpooling, and one body.
    assert len(pair.networks) == 3 * (1 + 2 + 3) - 1
    for config, together in zip(configs, pair.each(photos), strict=True):
        for photo, result in zip(photos, together, strict=True):
            assert torch.equal(result.colour, RandomPair(config)(photo).colour)


def test_configs_of_other_cnns_are_refused() -> None:
    with pytest.raises(ValueError, match="may differ in `layer`, `unpool` and `head` only"):
        RandomPair(SMALL, replace(SMALL, kernel_size=5))
    simplified = replace(SMALL, simplified="resized")
    with pytest.raises(ValueError, match=r"share one CNN, but .*conv3.* does not go on .*conv2"):
        RandomPair(simplified, replace(simplified, layer="conv3"))


def test_record_holds_what_one_needs() -> None:
    record = json.loads(json.dumps(run_record(SMALL, "abc")))
    assert ReconstructConfig(**record["config"]) == SMALL
    assert Description.from_dict(record["description"]) == SMALL.network()
    assert record["contract"]["inversion"] is True
    assert record["environment"]["torch"].startswith("2.")
    assert record["photos_sha256"] == "abc"


@pytest.mark.parametrize(
    ("width", "unpool", "ssim", "pearson"),
    [
        (8, "nearest", 0.3207, 0.5471),
        (64, "nearest", 0.6118, 0.8679),
        (256, "nearest", 0.6284, 0.8926),
        (256, "zeros", 0.2264, 0.6762),
    ],
)
def test_what_a_random_network_sees(
    width: int, unpool: UnpoolKind, ssim: float, pearson: float
) -> None:
    """Section 4.2's variant: the wider, the better; three networks, four photos, 96×96.

    Two other seeds gave SSIM 0.66 and 0.66, r 0.90 and 0.89 at width 256 with nearest unpooling;
    r 0.70 and 0.67 with zeros; r 0.53 and 0.63 at width 8.
    """
    base = ReconstructConfig(layer="conv1", pooled=True, head="mean", width=width, unpool=unpool)
    configs = [replace(base, network_number=number) for number in range(3)]
    trials = list(run_trials(configs, embedded_photos(96)))
    assert summarise(trials, "ssim").mean == pytest.approx(ssim, abs=1e-3)
    assert summarise(trials, "pearson").mean == pytest.approx(pearson, abs=1e-3)


def test_a_description_of_ones_own() -> None:
    """It takes the place of the architecture; the DCN is its mirror, of the same seed."""
    photo = embedded_photos(40)[1]
    own = Description("mine", (Conv("a", 5, kernel_size=5, padding=(2, 2), slope=0.1), Pool("b")))
    (result,) = reconstruct(photo, encoder=own, unpool="nearest", weights="uniform:0.2", seed=3)
    network = build(own + own.mirror("nearest"), "uniform:0.2", seed=3)
    with torch.inference_mode():
        torch.testing.assert_close(result.colour, network(photo.pixels[None])[0])
    # The architecture's own description gives what its options give.
    (by_name,) = reconstruct(photo, SMALL)
    (by_description,) = reconstruct(photo, size=40, encoder=SMALL.encoder())
    assert torch.equal(by_name.colour, by_description.colour)


def test_a_network_keeps_its_weights() -> None:
    photo = embedded_photos(40)[1]
    encoder = build(SMALL.encoder(), "laplace:0.3", seed=9)
    (result,) = reconstruct(photo, encoder=encoder, head="mean", seed=2)
    decoder = build(replace(SMALL, head="mean").mirror(), "gaussian:0.1", seed=2)
    with torch.inference_mode():
        sizes = input_sizes(encoder.description, 40, 40)
        expected = decoder(encoder(photo.pixels[None]), sizes)[0]
    torch.testing.assert_close(result.colour, expected)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (
            {"encoder": nn.ReLU()},
            ValueError,
            r"a ReLU, which has no mirror; preimage\.probe\(model",
        ),
        (
            {"encoder": SMALL.encoder(), "layer": "conv1"},
            ValueError,
            "`layer` cannot be given with",
        ),
        ({"model": 3}, TypeError, "no option `model`; there are encoder, architecture, layer"),
        ({"architecture": "resnet18"}, ValueError, r"got 'resnet18'; preimage\.probe\(model"),
        ({"weights": "imagenet"}, ValueError, r"\(these networks are random\), got 'imagenet'"),
    ],
)
@pytest.mark.usefixtures("no_hint_checks")
def test_roads_that_lead_elsewhere_say_so(
    words: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        reconstruct(**words)  # type: ignore[arg-type]


def test_photos_of_any_form() -> None:
    photo = embedded_photos(40)[1]
    array = photo.pixels.byte().permute(1, 2, 0).numpy()
    forms = [photo, photo.pixels, array, Image.fromarray(array)]
    results = reconstruct(forms, SMALL)
    assert all(torch.equal(result.colour, results[0].colour) for result in results)


def test_reconstructions_show_themselves() -> None:
    results = reconstruct(embedded_photos(24)[:3], SMALL)
    assert isinstance(results[1:], Reconstructions)
    assert "\n" not in repr(results) + repr(results[0])
    assert results._repr_html_().count("<img") == 3
    assert results[0]._repr_html_().count("<img") == 3
    assert list(results.to_frame()["ssim"]) == [one.ssim for one in results]
    assert [len(results.plot().axes), len(results[0].plot().axes)] == [4, 3]


def test_an_interrupt_keeps_the_photos_before(monkeypatch: pytest.MonkeyPatch) -> None:
    one = RandomPair.__call__

    def until_the_coffee(pair: RandomPair, photo: Photo) -> Reconstruction:
        if photo.name == "coffee":
            raise KeyboardInterrupt
        return one(pair, photo)

    monkeypatch.setattr(RandomPair, "__call__", until_the_coffee)
    with pytest.raises(Interrupted, match="2 of the photos are finished") as raised:
        reconstruct(embedded_photos(24), SMALL)
    assert [result.photo.name for result in raised.value.results] == ["astronaut", "chelsea"]


def test_photos_from_a_sequence_that_is_read_when_asked(tmp_path: Path) -> None:
    for photo in embedded_photos(24)[:2]:
        photo.image.save(tmp_path / f"{photo.name}.png")
    lazy, by_name = reconstruct(load_photos(tmp_path, None), SMALL), reconstruct(tmp_path, SMALL)
    assert [one.photo.name for one in lazy] == [one.photo.name for one in by_name]
    assert lazy[0].grey.shape == (24, 24)
