"""The least-squares decoder against numpy's lstsq."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from photos import pieces
from reference import windows
from torch import Tensor

from preimage import build, vgg16
from preimage.decoders.least_squares import FitRecord, LeastSquaresDecoder
from preimage.decoders.ridge import fit_least_squares
from preimage.network.architectures import alexnet, torchvision_alexnet
from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.operations import Conv, Normalise
from preimage.network.trace import Alignment, alignment
from preimage.scores.metrics import colour_scores


def small_encoder(layer: str = "conv2", dtype: torch.dtype = torch.float64) -> Network:
    description = vgg16().with_activation(0.2).scale_width(1 / 16).cut(layer)
    return build(description, dtype=dtype).requires_grad_(False)


def photos(count: int, height: int, width: int, seed: int = 0, cell: int = 5) -> Tensor:
    """Colours that change over some `cell` pixels, and some noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, height // cell + 1, width // cell + 1, generator=generator)
    smooth = F.interpolate(coarse, (height, width), mode="bilinear")
    return 225 * smooth + 30 * torch.rand(count, 3, height, width, generator=generator)


def by_lstsq(x: Tensor, y: Tensor, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression with a free intercept, as an ordinary problem with more rows."""
    centred = x - x.mean(0)
    penalty = ridge * centred.square().sum(0).mean()
    rows = torch.cat([centred, penalty.sqrt() * torch.eye(x.shape[1], dtype=x.dtype)])
    targets = torch.cat([y - y.mean(0), y.new_zeros(x.shape[1], y.shape[1])])
    weight = np.linalg.lstsq(rows.numpy(), targets.numpy(), rcond=None)[0]
    return weight, (y.mean(0) - x.mean(0) @ torch.from_numpy(weight)).numpy()


@pytest.mark.parametrize("ridge", [0.0, 1e-2])
@pytest.mark.parametrize("window", [1, 3])
def test_equals_lstsq(window: int, ridge: float) -> None:
    encoder = small_encoder()
    batch = photos(6, 13, 18).double()
    decoder = fit_least_squares(
        encoder, [batch], alignment(encoder.description), window=window, ridges=[ridge]
    )
    x = windows(encoder(batch), window)
    repeated = F.pad(batch, (0, 0, 0, 1), mode="replicate")  # 13 rows are seven blocks of two
    y = F.pixel_unshuffle(repeated, 2).permute(0, 2, 3, 1).flatten(0, 2)
    weight, bias = by_lstsq(x, y, ridge)
    found = decoder.weight.permute(2, 3, 1, 0).flatten(0, 2).numpy()
    np.testing.assert_allclose(found, weight, atol=1e-7 * np.abs(weight).max())
    np.testing.assert_allclose(decoder.bias.numpy(), bias, rtol=1e-7)
    expected = (x @ torch.from_numpy(weight) + torch.from_numpy(bias)).view(6, 7, 9, 12)
    image = F.pixel_shuffle(expected.permute(0, 3, 1, 2), 2)[..., :13, :18]
    torch.testing.assert_close(decoder(encoder(batch), (13, 18)), image, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-16), (torch.float32, 1.0)])
def test_recovers_a_linear_map(dtype: torch.dtype, limit: float) -> None:
    # 27 channels of a 3×3 convolution say all about 3×3 RGB pixels; no activation.
    encoder = build(Description("linear", (Conv("conv1", 27, slope=1.0),)), dtype=dtype)
    encoder.requires_grad_(False)
    batch = photos(8, 17, 15).to(dtype)
    decoder = fit_least_squares(encoder, [batch], Alignment(1), window=1, ridges=[0.0])
    unseen = photos(2, 9, 11, seed=1).to(dtype)
    error = decoder(encoder(unseen), (9, 11)) - unseen
    assert float(error.square().mean()) < limit


@pytest.mark.parametrize(
    ("description", "size"),
    [
        (vgg16().scale_width(1 / 8).cut("conv3"), (33, 46)),
        (vgg16().scale_width(1 / 8).cut("conv1", pooled=True), (21, 17)),
        (alexnet().scale_width(1 / 8).cut("conv1"), (67, 90)),
        (alexnet().scale_width(1 / 8).cut("conv2"), (83, 99)),
        (torchvision_alexnet().scale_width(1 / 8).cut("conv1"), (64, 70)),
        (alexnet().scale_width(1 / 8).cut("conv1").simplified(), (70, 75)),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_any_encoder_and_size_does_better_than_the_mean(
    description: Description, size: tuple[int, int]
) -> None:
    encoder = build(description).requires_grad_(False)
    batch = photos(12, *size, cell=16)
    where = alignment(description)
    decoder = fit_least_squares(encoder, [batch[:7], batch[7:]], where)
    output = decoder(encoder(batch), size)
    assert output.shape == batch.shape
    baseline = (batch - batch.mean((0, 2, 3), keepdim=True)).square()
    assert (output - batch).square().mean() < 0.6 * baseline.mean()
    # The last rows and columns, too, which no feature of an unpadded network lies on.
    for edge in (np.s_[..., -2:, :], np.s_[..., -2:]):
        assert (output - batch)[edge].square().mean() < baseline[edge].mean()


def test_alignment_is_the_block_under_the_receptive_field() -> None:
    for layer, stride in zip(vgg16().blocks, (1, 2, 4, 8, 16), strict=True):
        assert alignment(vgg16().cut(layer)) == (stride, 0)
    for layer, stride in (("conv1", 4), ("conv2", 8), ("conv5", 16)):
        assert alignment(alexnet().cut(layer)) == (stride, 1)
    normalise = Normalise("normalise", (120.0,) * 3, (60.0,) * 3)
    conv1 = alexnet().cut("conv1")
    assert alignment(replace(conv1, operations=(normalise, *conv1.operations))) == (4, 1)
    with pytest.raises(ValueError, match="does not belong in an encoder"):
        alignment(vgg16().cut("conv2").mirror())


def test_photos_of_different_sizes() -> None:
    encoder = small_encoder()
    batches = [photos(3, 20, 14).double(), photos(3, 13, 21, seed=1).double()]
    where = alignment(encoder.description)
    decoder = fit_least_squares(encoder, iter(batches), where, window=1, ridges=[1e-3])
    x = torch.cat([windows(encoder(batch), 1) for batch in batches])
    repeated = F.pad(batches[1], (0, 1, 0, 1), mode="replicate")
    y = torch.cat(
        [
            F.pixel_unshuffle(batch, 2).permute(0, 2, 3, 1).flatten(0, 2)
            for batch in (batches[0], repeated)
        ]
    )
    weight, _ = by_lstsq(x, y, 1e-3)
    found = decoder.weight.permute(2, 3, 1, 0).flatten(0, 2).numpy()
    np.testing.assert_allclose(found, weight, atol=1e-9 * np.abs(weight).max())
    assert decoder.record.samples == 3 * 10 * 7 + 3 * 7 * 11


def test_ridge_is_the_best_on_the_photos_held_back() -> None:
    encoder = small_encoder("conv3")
    batch = photos(11, 24, 20).double()
    where = alignment(encoder.description)
    ridges = (1e-6, 1e-4, 1e-2, 1.0, 100.0)
    decoder = fit_least_squares(encoder, batch.split(4), where, ridges=ridges)
    held = torch.arange(11) % 5 == 1
    errors = []
    for ridge in ridges:
        rest = fit_least_squares(encoder, [batch[~held]], where, ridges=[ridge])
        output = rest(encoder(batch[held]), (24, 20))
        errors.append(float((output - batch[held]).square().mean()))
    assert decoder.record.held_back_mse == pytest.approx(errors, rel=1e-6)
    best = ridges[int(np.argmin(errors))]
    assert 0 < ridges.index(best) < len(ridges) - 1  # else the test would show little
    assert decoder.record.ridge == best
    assert (decoder.record.photos, decoder.record.held_back) == (11, 2)
    again = fit_least_squares(encoder, [batch], where, ridges=[best])
    torch.testing.assert_close(decoder.weight, again.weight, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("positions", [None, 20])
def test_batch_size_does_not_matter(positions: int | None) -> None:
    encoder = small_encoder()
    batch = photos(8, 16, 18).double()
    where = alignment(encoder.description)
    whole = fit_least_squares(encoder, [batch], where, positions=positions)
    parts = fit_least_squares(encoder, batch.split(3), where, positions=positions)
    torch.testing.assert_close(whole.weight, parts.weight, rtol=1e-6, atol=1e-9)
    assert whole.record.ridge == parts.record.ridge
    assert whole.record.samples == 8 * (positions or 72)


def test_order_does_not_matter() -> None:
    encoder = small_encoder(dtype=torch.float32)
    batch = photos(8, 16, 18)
    where = alignment(encoder.description)
    first = fit_least_squares(encoder, batch.split(2), where, ridges=[1e-4])
    second = fit_least_squares(encoder, batch.flip(0).split(4), where, ridges=[1e-4])
    features = encoder(batch)
    torch.testing.assert_close(
        first(features, (16, 18)), second(features, (16, 18)), rtol=0, atol=0.05
    )


def test_positions_are_seeded() -> None:
    encoder = small_encoder()
    batch = photos(8, 16, 18).double()
    where = alignment(encoder.description)

    def weight(positions: int | None, seed: int = 0) -> Tensor:
        decoder = fit_least_squares(
            encoder, [batch], where, window=1, positions=positions, seed=seed
        )
        return decoder.weight

    assert torch.equal(weight(20), weight(20))
    assert not torch.allclose(weight(20), weight(20, seed=1), rtol=1e-3)
    assert torch.equal(weight(72), weight(None))


def test_round_trip_is_bit_identical() -> None:
    encoder = small_encoder(dtype=torch.float32)
    batch = photos(8, 15, 18)
    decoder = fit_least_squares(encoder, [batch], alignment(encoder.description))
    metadata = json.loads(json.dumps(decoder.metadata()))
    tensors = {name: tensor.clone() for name, tensor in decoder.tensors().items()}
    again = LeastSquaresDecoder.from_parts(tensors, metadata)
    features = encoder(batch)
    assert torch.equal(again(features, (15, 18)), decoder(features, (15, 18)))
    assert again.record == decoder.record
    assert again.metadata() == decoder.metadata()
    assert all(tensor.is_contiguous() for tensor in tensors.values())


@pytest.mark.usefixtures("no_hint_checks")
def test_parts_that_do_not_fit_are_refused() -> None:
    encoder = small_encoder(dtype=torch.float32)
    decoder = fit_least_squares(encoder, [photos(8, 16, 18)], alignment(encoder.description))
    tensors, metadata = decoder.tensors(), decoder.metadata()
    with pytest.raises(ValueError, match="bias missing among its tensors"):
        LeastSquaresDecoder.from_parts({"weight": tensors["weight"]}, metadata)
    with pytest.raises(ValueError, match=r"decoder\.fit\.ridge, .* is missing"):
        LeastSquaresDecoder.from_parts(tensors, {**metadata, "fit": {}})
    with pytest.raises(ValueError, match=r"weight must be float32 \(\d+, 8, 5, 5\), got"):
        LeastSquaresDecoder.from_parts(tensors, {**metadata, "window": 5})
    with pytest.raises(ValueError, match="25 outputs for each channel"):
        LeastSquaresDecoder.from_parts(tensors, {**metadata, "stride": 5})
    with pytest.raises(ValueError, match="takes features of 8 channels"):
        decoder(torch.zeros(1, 7, 3, 3), (6, 6))


@pytest.mark.usefixtures("no_hint_checks")
def test_bad_input_is_one_clear_line() -> None:
    encoder = small_encoder(dtype=torch.float32)
    where = alignment(encoder.description)
    batch = photos(8, 16, 18)
    with pytest.raises(ValueError, match="there are no photos"):
        fit_least_squares(encoder, [], where)
    with pytest.raises(ValueError, match="two photos or more"):
        fit_least_squares(encoder, [batch[:1]], where)
    with pytest.raises(ValueError, match="72 weights for each pixel, but there are only 60"):
        fit_least_squares(encoder, [photos(2, 10, 12)], where)
    with pytest.raises(ValueError, match="NaN or infinite"):
        fit_least_squares(encoder, [batch, batch.where(batch < 200, torch.nan)], where)
    with pytest.raises(ValueError, match="NaN or infinite"):
        fit_least_squares(lambda x: x.nan_to_num(), [batch * torch.inf], Alignment(1))
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\)"):
        fit_least_squares(encoder, [batch[:, :2]], where)
    with pytest.raises(ValueError, match="same channels"):
        fit_least_squares(lambda x: x, [batch, batch[:, :2]], Alignment(1))
    with pytest.raises(ValueError, match="singular"):
        fit_least_squares(lambda x: x * 0, [batch], Alignment(1), ridges=[0.0, 1e-3])
    for wrong, message in (
        ({"window": 2}, "odd"),
        ({"positions": 0}, "positive or None"),
        ({"ridges": []}, "one or more"),
        ({"ridges": [-1.0, 1.0]}, "from 0 on"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_least_squares(encoder, [batch], where, **wrong)


def test_real_photos_come_back() -> None:
    batch = pieces(64)
    encoder = build(vgg16().with_activation(0.2).scale_width(0.25).cut("conv1"))
    decoder = fit_least_squares(encoder, batch[:48].split(8), alignment(encoder.description))
    output = decoder(encoder(batch[48:]), (64, 64))
    psnr = float(colour_scores(batch[48:], output.detach()).psnr.mean())
    assert psnr == pytest.approx(30.27, abs=0.1)


def test_a_decoder_of_another_precision_computes_in_that_of_the_features() -> None:
    encoder = small_encoder(dtype=torch.float64)
    batch = photos(6, 13, 18).double()
    decoder = fit_least_squares(encoder, [batch], alignment(encoder.description), window=3)
    maps = encoder(batch)
    picture = decoder(maps.float(), (13, 18))
    assert picture.dtype == torch.float32
    torch.testing.assert_close(picture.double(), decoder(maps, (13, 18)), rtol=0, atol=1e-2)


def test_a_record_shows_the_choice_of_its_ridge() -> None:
    record = FitRecord(0.1, (0.01, 0.1, 1.0), (None, 4.0, 9.0), photos=10, held_back=2, samples=99)
    assert repr(record) == "FitRecord(10 photos, 99 windows: ridge 0.1 of 3, chosen on 2 photos)"
    assert list(record.to_frame()["chosen"]) == [False, True, False]
    (ax,) = record.plot().axes
    assert ax.lines[0].get_xydata().tolist() == [[0.1, 4.0], [1.0, 9.0]]
