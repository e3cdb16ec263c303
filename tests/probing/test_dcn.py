"""The DCN rung on a layer whose answer is a product, which no linear decoder can form."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from preimage.network.trace import Alignment
from preimage.probing.dcn import DcnDecoder, dcn_description, train_dcn
from preimage.probing.linear import LinearDecoder, LinearSums
from preimage.probing.rungs import DcnOptions

OPTIONS = DcnOptions(steps=120, batch_size=8, learning_rate=1e-2, width=8)
SIZE = (24, 32)


def folded(pixels: Tensor) -> Tensor:
    """Per pixel and colour |x − 110| and whether x > 110: the colour is ±the first + 110."""
    return torch.cat([(pixels - 110).abs(), 50 * (pixels > 110).float()], 1)


def halves(pixels: Tensor) -> Tensor:
    """`folded`, four pixels to a position: six times four channels."""
    return nn.functional.pixel_unshuffle(folded(pixels), 2)


def _photos(count: int, seed: int) -> Tensor:
    coarse = torch.rand(count, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    return 255 * nn.functional.interpolate(coarse, SIZE, mode="bicubic").clamp(0, 1)


def _linear(features: Callable[[Tensor], Tensor], photos: Tensor, stride: int) -> LinearDecoder:
    sums = LinearSums(Alignment(stride))
    sums.add(features(photos), photos, [i % 5 == 1 for i in range(len(photos))])
    return sums.solve()


def _psnr(decoder: Callable[[Tensor, tuple[int, int]], Tensor], maps: Tensor, x: Tensor) -> float:
    with torch.no_grad():
        error = (decoder(maps, SIZE).clamp(0, 255) - x).square().mean((1, 2, 3))
    return float(10 * (255**2 / error).log10().mean())


def test_it_reads_what_no_linear_decoder_can() -> None:
    photos, held_back, new = _photos(20, 0), _photos(4, 1), _photos(6, 2)
    linear = _linear(halves, photos, 2)
    decoder = train_dcn(halves, linear, photos, held_back, OPTIONS)
    before, after = (_psnr(d, halves(new), new) for d in (linear, decoder))
    assert after > before + 3
    assert decoder.gain > 0.9


def test_the_same_seed_gives_the_same_decoder() -> None:
    photos, held_back = _photos(10, 0), _photos(2, 1)
    linear = _linear(folded, photos, 1)
    few = replace(OPTIONS, steps=4)
    one, two = (train_dcn(folded, linear, photos, held_back, few) for _ in range(2))
    other = train_dcn(folded, linear, photos, held_back, replace(few, seed=1))
    maps = folded(photos[:2])
    assert torch.equal(one.added(maps, SIZE), two.added(maps, SIZE))
    assert not torch.equal(one.added(maps, SIZE), other.added(maps, SIZE))


def test_what_does_not_hold_for_new_photos_is_not_added() -> None:
    """Features that tell nothing of the photo: the gain keeps the linear decoder's picture."""

    def noise(pixels: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(int(pixels.sum()) % 2**31)
        return torch.randn(len(pixels), 4, *SIZE, generator=generator)

    photos = _photos(10, 0)
    linear = _linear(noise, photos, 1)
    decoder = train_dcn(noise, linear, photos, _photos(4, 1), replace(OPTIONS, steps=40))
    assert decoder.gain < 0.4


def test_a_dcn_begins_as_nothing() -> None:
    steps: list[int] = []
    photos = _photos(10, 0)
    linear = _linear(halves, photos, 2)
    few = replace(OPTIONS, steps=2, learning_rate=1e-9)
    decoder = train_dcn(halves, linear, photos, photos[:2], few, steps.append)
    assert isinstance(decoder, DcnDecoder)
    assert steps == [1, 1]
    maps = halves(photos[:2])
    assert (decoder(maps, SIZE) - linear(maps, SIZE).clamp(0, 255)).abs().max() < 1e-3


def test_its_description_is_the_layers_mirror_without_the_input() -> None:
    description = dcn_description(96, 8, 16)
    assert [c.name for c in description.convs] == ["conv8", "conv4", "conv2", "conv1", "output"]
    assert [c.out_channels for c in description.convs] == [96, 64, 32, 16, 3]
    assert all(c.bias for c in description.convs)
    assert {c.slope for c in description.convs} == {0.2, 1.0}
    assert description.operations[-2].op == "conv"
