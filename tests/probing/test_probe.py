"""The whole question on small models whose answer is known."""

import pytest
import torch
from torch import Tensor, nn

from preimage.data.each_photo import Interrupted
from preimage.probing import RAW, LayerError, Preprocessing, list_layers, probe
from preimage.scores.statistics import paired_difference


@pytest.fixture(scope="module")
def photos() -> Tensor:
    """40 smooth photos (3, 24, 32)."""
    coarse = torch.rand(40, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    return 255 * nn.functional.interpolate(coarse, (24, 32), mode="bicubic").clamp(0, 1)


class Constant(nn.Module):
    """Maps, or one vector, that are the same for all photos."""

    def __init__(self, vector: bool, places: bool = False) -> None:
        super().__init__()
        self.vector = vector
        self.conv = nn.Conv2d(3, 4, 4, 4)
        values = torch.randn(4, 6, 8) if places else torch.ones(4, 6, 8)
        self.values = nn.Parameter(values)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = 0 * self.conv(x) + self.values
        return maps.flatten(1) if self.vector else maps


def test_a_constant_vector_gives_the_mean_image(photos: Tensor) -> None:
    model = nn.Sequential(Constant(vector=True))
    result = probe(model, photos, ["0"], preprocessing=RAW, twins=0, leakage=True)
    floor = sum(result.mean_image) / 10
    assert result["0"].psnr.mean == pytest.approx(floor, abs=0.01)


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("places", [False, True])  # as positional embeddings alone would give
def test_constant_maps_give_the_mean_image(photos: Tensor, window: int, places: bool) -> None:
    model = nn.Sequential(Constant(False, places))
    result = probe(
        model, photos, ["0"], preprocessing=RAW, twins=0, window=window, leakage=True, bands=True
    )
    assert result["0"].trained == pytest.approx(result.mean_image, abs=0.01)
    if places:
        return
    # The curve is of decoders of a position's features, which know no place: the mean block.
    training, held_out = photos[:30], photos[30:]
    block = training.unfold(2, 4, 4).unfold(3, 4, 4).mean((0, 2, 3))  # (3, 4, 4)
    error = (block.repeat(1, 6, 8) - held_out).square().mean((1, 2, 3))
    leakage = result["0"].leakage
    assert leakage is not None
    assert leakage.series["noise"][0].mse == pytest.approx(float(error.mean()), rel=1e-4)


def test_an_invertible_layer_keeps_everything(photos: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(3, 48, 4, 4), nn.Conv2d(48, 6, 1))
    result = probe(model, photos, ["0", "1"], preprocessing=RAW, twins=3)
    whole, part = result.layers
    assert whole.psnr.mean > 60
    assert min(whole.twins[0]) > 55
    # Six numbers per block can't do better than its six principal components.
    assert all(a < b for a, b in zip(part.trained, part.ceiling, strict=True))
    assert not whole.ceiling


def test_features_of_other_photos_are_no_better_than_the_mean_image(photos: Tensor) -> None:
    """Never above it by more than the interval of the paired difference."""
    model = nn.Sequential(
        nn.Conv2d(3, 12, 4, 4), nn.ReLU(), nn.Conv2d(12, 40, 2, 2), nn.Flatten(), nn.Linear(480, 9)
    )
    result = probe(model, photos, ["1", "2", "4"], preprocessing=RAW, twins=0)
    assert result["1"].psnr.mean > sum(result.mean_image) / 10 + 3
    for layer in result.layers:
        floors = {k: v for k, v in layer.floors.items() if k != "bicubic"}
        assert len(floors) == 2 if layer.layout.grid else 1
        for values in floors.values():
            above = paired_difference(values, result.mean_image)
            assert above.n == 10
            assert above.mean < above.half_width


class Half(nn.Module):
    """What training would throw away: all but one of eight channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, 4)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.conv(x)
        return maps


def test_leakage_and_bands_of_every_layer(photos: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(3, 12, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(576, 8))
    result = probe(model, photos, ["1", "3"], preprocessing=RAW, twins=1, leakage=True, bands=True)
    for layer in result.layers:
        assert layer.leakage is not None
        assert len(layer.twin_leakage) == 1
        noise = layer.leakage.series["noise"]
        # Clipped pixels come out a little better, and PSNR is averaged over photos.
        assert noise[0].psnr == pytest.approx(layer.psnr.mean, abs=0.3)
        assert noise[0].psnr > noise[-1].psnr
        assert noise[-1].psnr == pytest.approx(sum(result.mean_image) / 10, abs=0.3)
        assert layer.bands is not None
        assert len(layer.bands.twins) == 1
        low, high = (layer.bands.trained.retained(0, band).mean for band in (0, -1))
        assert low > high
    assert [layer.correlations is None for layer in result.layers] == [False, True]


def test_the_verdict_finds_what_training_threw_away(photos: Tensor) -> None:
    model = Half()
    with torch.no_grad():
        model.conv.weight[1:] = model.conv.weight[:1]
    result = probe(model, photos, ["conv"], preprocessing=RAW, twins=4)
    verdict = result["conv"].verdict(1)
    assert verdict is not None
    assert verdict.word == "training throws away"
    assert verdict.over_photos.mean < -1
    assert verdict.over_draws.n == 4
    assert "training throws away" in str(result)
    (row,) = result.rows()
    assert row["verdict"] == "training throws away"
    assert row["difference"] == pytest.approx(row["psnr"] - row["twin_psnr"])


def test_the_same_seed_gives_the_same_numbers(photos: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU())
    one, two = (probe(model, photos, preprocessing=RAW, twins=2, seed=7) for _ in range(2))
    assert one.rows() == two.rows()
    assert [layer.name for layer in one.layers] == ["2"]  # auto: the last at each resolution
    assert one.record["twins"][1]["seed"] == 8
    assert one.record["photos"]["training"] == 30


def test_photos_of_another_domain_are_scored_by_the_same_decoders(photos: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.ReLU())
    noise = 255 * torch.rand(5, 3, 24, 32, generator=torch.Generator().manual_seed(1))
    fitted, held = photos[:30], photos[30:35]
    result = probe(model, fitted, ["1"], held_out=held, other=held, preprocessing=RAW, twins=2)
    layer = result["1"]
    assert layer.other == layer.trained
    assert layer.other_twins == layer.twins
    assert result.mean_image_other == result.mean_image
    harder = probe(model, fitted, ["1"], held_out=held, other=noise, preprocessing=RAW, twins=2)
    assert harder["1"].trained == layer.trained
    assert max(harder["1"].other) < min(layer.other)
    assert harder.record["photos"]["other"] == 5


def test_pictures_of_the_network_and_of_one_twin_are_kept(photos: Tensor) -> None:
    result = probe(nn.Sequential(nn.Conv2d(3, 48, 4, 4)), photos, preprocessing=RAW, twins=2)
    layer = result["0"]
    assert len(layer.pictures) == len(layer.twin_pictures) == len(result.photos) == 6
    for pictures in (layer.pictures, layer.twin_pictures):  # of layers that keep everything
        off = torch.stack(pictures).float() - torch.stack(result.photos).float()
        assert off.square().mean() < 1


def test_layers_are_listed_with_their_shapes() -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.Flatten(), nn.Linear(6 * 64, 5))
    layers = list_layers(model, Preprocessing(16))
    assert [(layer.name, layer.module, str(layer.layout)) for layer in layers] == [
        ("0", "Conv2d", "maps 6×8×8"),
        ("1", "Flatten", "vectors 384"),
        ("2", "Linear", "vectors 5"),
    ]


def test_a_model_of_unknown_preprocessing_is_refused(photos: Tensor) -> None:
    with pytest.raises(ValueError, match="`preprocessing` is not known for this model: give"):
        probe(nn.Conv2d(3, 3, 1), photos)


class Pair(nn.Module):
    """Two outputs, of which the second one holds more."""

    def __init__(self) -> None:
        super().__init__()
        self.few, self.many = nn.Conv2d(3, 2, 4, 4), nn.Conv2d(3, 48, 4, 4)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"few": self.few(x), "many": self.many(x)}


class Paired(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()

    def forward(self, x: Tensor) -> Tensor:
        many: Tensor = self.pair(x)["many"]
        return many


def test_selectors_take_one_of_several_outputs(photos: Tensor) -> None:
    model = Paired()
    selectors = {"pair": lambda output: output["many"]}
    chosen = probe(model, photos, ["pair"], selectors=selectors, preprocessing=RAW, twins=2)
    first = probe(model, photos, ["pair"], preprocessing=RAW, twins=0)
    assert (chosen["pair"].layout.channels, first["pair"].layout.channels) == (48, 2)
    assert chosen["pair"].psnr.mean > 50 > first["pair"].psnr.mean
    assert not any(module._forward_hooks for module in model.modules())


class Moody(nn.Module):
    """Fails for photos that it has not seen before: in the middle of a pass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 4, 4)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        maps: Tensor = self.conv(x)
        if self.calls > 60:
            raise RuntimeError("out of order")
        return maps


def test_a_model_that_fails_in_the_middle_is_left_as_it_was(photos: Tensor) -> None:
    model = nn.Sequential(Moody(), nn.ReLU(inplace=True)).train()
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model[0].calls = 40  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="out of order"):
        probe(model, torch.cat([photos] * 6), ["0"], preprocessing=RAW, twins=2)
    assert [module.training for module in model.modules()] == [True, True, True, False]
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@pytest.mark.usefixtures("no_hint_checks")
def test_bad_photos_are_refused(photos: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 1))
    with pytest.raises(ValueError, match="at least 5 photos to fit to and 2 to score, got 3 and 1"):
        probe(model, photos[:4], preprocessing=RAW)
    with pytest.raises(ValueError, match=r"or \(N, 3, H, W\), got \(1, 24, 32\)"):
        probe(model, photos[:, :1], preprocessing=RAW)
    with pytest.raises(ValueError, match="must have the size of `photos`"):
        probe(model, photos, held_out=photos[..., :8], preprocessing=RAW)
    with pytest.raises(ValueError, match="`other` must be at least 2 photos, got 1"):
        probe(model, photos, other=photos[:1], preprocessing=RAW)
    with pytest.raises(LayerError, match="no module is called 'layer9'"):
        probe(model, photos, ["layer9"], preprocessing=RAW)


def test_twins_that_are_no_draws_are_refused(photos: Tensor) -> None:
    def seeded() -> nn.Module:
        torch.manual_seed(987654321)
        return nn.Sequential(nn.Conv2d(3, 12, 4, 4))

    model = nn.Sequential(nn.Conv2d(3, 12, 4, 4))
    words = {"preprocessing": RAW, "twins": 2}
    with pytest.raises(ValueError, match=r"gives twin 1 the weights of twin-0: it must draw them"):
        probe(model, photos, ["0"], initialisation=seeded, **words)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"gives twin 0 the weights of the model itself"):
        probe(seeded(), photos, ["0"], initialisation=seeded, **words)  # type: ignore[arg-type]


def test_an_interrupt_keeps_the_network_and_the_twins_so_far(photos: Tensor) -> None:
    builds: list[int] = []

    def build() -> nn.Module:
        builds.append(0)
        if len(builds) == 4:  # one to look at its layers, and two twins
            raise KeyboardInterrupt
        return nn.Sequential(nn.Conv2d(3, 8, 4, 4))

    torch.manual_seed(99)  # the twins have seeds 0 to 4
    model = nn.Sequential(nn.Conv2d(3, 8, 4, 4))
    said = "the network and 2 of 5 twins are finished"
    with pytest.raises(Interrupted, match=said) as raised:
        probe(model, photos, ["0"], preprocessing=RAW, twins=5, initialisation=build)
    found = raised.value.results
    assert len(found["0"].twins) == 2
    expected = probe(model, photos, ["0"], preprocessing=RAW, twins=0)
    assert found["0"].trained == expected["0"].trained
