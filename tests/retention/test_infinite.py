import pytest
import torch

from preimage import Conv, Description, Pool, build, embedded_photos, vgg16
from preimage.decoders.encoders import cut
from preimage.network.limit.cross import cross_kernel
from preimage.network.limit.pairs import pair_recursion
from preimage.network.limit.tiles import Tiles
from preimage.network.trace import Alignment
from preimage.retention import infinite
from preimage.retention.infinite import retention
from preimage.retention.kernel_ridge import feature_problem, fit
from preimage.retention.layer import KernelOptions, layer_problem
from preimage.retention.networks import photo_features, tile_features
from preimage.retention.positions import (
    Sampling,
    photo_numbers,
    sample_tiles,
    tile_pictures,
    tile_targets,
)

SIDE = 26


def pixels(count=6):
    whole = [photo.pixels for photo in embedded_photos(3 * SIDE)]
    return torch.stack(
        [whole[i % 4][:, 7 * (i // 4) :][:, :SIDE, 3 * i : 3 * i + SIDE] for i in range(count)]
    ).byte()


def encoder(width=3):
    return Description(
        "small",
        (
            Conv("conv1_1", width, slope=0.2),
            Pool("pool1", "avg"),
            Conv("conv2_1", width, slope=0.2),
        ),
    )


SAMPLING = Sampling(positions=20, held_out=4, tile=2)


def test_the_problem_is_that_of_the_kernel_and_of_the_pixels():
    photos = pixels()
    options = KernelOptions(sampling=SAMPLING, dtype=torch.float64)
    layer, p = layer_problem(encoder(), photos, photos[:2], options)
    training, held_out = layer.training, layer.held_out
    x = photos.double()
    for found, rows in ((p.gram, training), (p.cross, held_out)):
        expected = cross_kernel(encoder(), x, rows, x, training)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    own = cross_kernel(encoder(), x, held_out, x, held_out).diagonal()
    torch.testing.assert_close(p.diagonal, own, rtol=1e-12, atol=0)
    photo, (row, column) = int(training.photos[3]), training.corners[3].tolist()
    block = photos[photo, :, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4]
    pictures = tile_pictures(p.targets, training, 2)
    torch.testing.assert_close(pictures[3], block.double())


def test_a_killed_run_goes_on_where_it_was(tmp_path, caplog):
    photos = pixels()
    options = KernelOptions(sampling=SAMPLING, folder=tmp_path, threads=2)

    def gram():
        return layer_problem(encoder(), photos, photos, options)[1].gram

    first = gram()
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) == 2 + 1  # four tiles per file, of 5 and of 1
    files[0].unlink()
    damaged = files[1].read_bytes()
    files[1].write_bytes(damaged[:-9])
    torch.testing.assert_close(gram(), first, rtol=0, atol=0)
    assert "damaged; it is computed again" in caplog.text
    assert len(files[1].read_bytes()) == len(damaged)


def test_networks_features_at_tiles_are_theirs():
    photos = pixels()
    network = build(encoder(5), seed=2)
    recursion = pair_recursion(encoder(), (SIDE, SIDE), (2, 3))
    tiles = Tiles(torch.tensor([0, 4, 5]), torch.tensor([[0, 0], [5, 9], [11, 10]]), (2, 3))
    found = tile_features(network, recursion, photos, tiles, batch=2)
    with torch.no_grad():
        maps = network(photos.float())
    expected = [
        maps[n, :, r : r + 2, c : c + 3].permute(1, 2, 0).flatten(0, 1)
        for n, (r, c) in zip(tiles.photos.tolist(), tiles.corners.tolist(), strict=True)
    ]
    torch.testing.assert_close(found, torch.cat(expected), rtol=1e-4, atol=1e-3)
    again = photo_features(network, photos, tiles)
    torch.testing.assert_close(again, torch.cat(expected), rtol=1e-4, atol=1e-3)
    recursion = pair_recursion(encoder(), (SIDE, SIDE), (13, 13))
    tiles = Tiles(torch.tensor([4, 1]), torch.zeros(2, 2, dtype=torch.int64), (13, 13))
    whole = tile_features(network, recursion, photos, tiles)
    expected = [maps[n].permute(1, 2, 0).flatten(0, 1) for n in (4, 1)]
    torch.testing.assert_close(whole, torch.cat(expected), rtol=1e-4, atol=1e-3)


def test_deeper_layers_retain_less():
    found = retention(
        vgg16().with_pool("avg").with_activation(0.2),
        pixels(10),
        pixels(11)[10:],
        ["conv1_1", "conv2_1"],
        size=SIDE,
        options=KernelOptions(sampling=SAMPLING),
    )
    errors = [layer.mse for layer in found.layers]
    assert errors == sorted(errors)
    assert found.layers[0].layer == "conv1_1"
    assert found.layers[0].psnr.mean == pytest.approx(10 * torch.tensor(255**2 / errors[0]).log10())
    assert all(0 < layer.retained < 1 for layer in found)
    assert found.layers[1].reconstructions.shape == found.layers[1].originals.shape == (1, 3, 4, 4)


def test_a_network_stands_beside_its_architecture_s_line():
    network = build(vgg16().with_width(4).with_pool("avg").cut("conv2"), seed=1)
    options = KernelOptions(sampling=SAMPLING)
    found = retention(network, pixels(10), pixels(11)[10:], ["conv1_1"], size=SIDE, options=options)
    (layer,) = found.layers
    encoder = network.description.cut("conv1_1")
    place, problem = layer_problem(encoder, pixels(10), pixels(11)[10:], options)
    first = cut(network, "conv1_1")
    features = [
        photo_features(first, photos, tiles)
        for photos, tiles in ((pixels(10), place.training), (pixels(11)[10:], place.held_out))
    ]
    assert layer.network_mse == fit(feature_problem(*features, problem)).mse > layer.mse
    assert "this network" in str(found)


def test_tiles_are_spread_over_photos_and_lie_on_the_map():
    tiles = sample_tiles(50, 5, (9, 13), (9, 13), Alignment(1), 3, seed=1)
    assert len(tiles) == 6
    assert sorted(set(tiles.photos.tolist())) == [0, 1, 2, 3, 4]
    assert bool((tiles.corners >= 0).all())
    assert bool((tiles.corners + 3 <= torch.tensor([9, 13])).all())
    assert len(photo_numbers(tiles)) == tiles.positions == 54
    shifted = sample_tiles(50, 5, (9, 13), (6, 13), Alignment(1, -2), 4, seed=1)
    assert bool((shifted.corners[:, 0] >= 2).all())
    targets = tile_targets(pixels(5)[:, :, :8, :13], shifted, Alignment(1, -2))
    assert targets.shape == (shifted.positions, 3)
    with pytest.raises(ValueError, match="fewer than 5,000"):
        sample_tiles(5000, 5, (9, 13), (9, 13), Alignment(1), 3, seed=1)
    with pytest.raises(ValueError, match="`tile` must be positive"):
        Sampling(tile=0)


def test_the_curve_of_a_single_convolution_has_classes_of_filters(monkeypatch):
    """Of bright photos, on which filters have one sign; taking all for one class promises 2 dB."""
    description = Description("one", (Conv("conv1_1", 3, slope=0.2),))
    photos = pixels()
    options = KernelOptions(sampling=Sampling(positions=40, held_out=8, tile=2))

    def expected():
        part = {"size": SIDE, "widths": (12,), "ridges": (1e-2, 1e-4), "options": options}
        return retention(description, photos[:4], photos[4:], **part).layers[0].curve

    ((width, psnr),) = expected()
    monkeypatch.setattr(infinite, "MOST_POSITIONS", 10)
    ((_, one_class),) = expected()
    assert width == 12
    assert 1.5 < one_class - psnr < 2.5
