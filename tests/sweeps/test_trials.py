from dataclasses import replace
from statistics import fmean, stdev

import pytest

from preimage.data.photo import embedded_photos
from preimage.network.spec import ReconstructConfig
from preimage.network.trace import least_size
from preimage.sweeps.trials import by_encoder, run_trials, summarise

SMALL = ReconstructConfig(layer="conv1", width=3, size=32)


def test_summarise_averages_over_photos_then_over_networks() -> None:
    photos = embedded_photos(32)[:2]
    trials = list(run_trials([replace(SMALL, network_number=n) for n in range(3)], photos))
    for absolute in (False, True):
        averages = [
            fmean(abs(r.pearson) if absolute else r.pearson for r in trial.reconstructions)
            for trial in trials
        ]
        interval = summarise(trials, "pearson", absolute)
        assert interval.n == 3
        assert interval.mean == pytest.approx(fmean(averages), rel=1e-12)
        assert interval.std == pytest.approx(stdev(averages), rel=1e-12)


def test_configs_that_share_a_cnn_are_one_group() -> None:
    configs = [
        replace(SMALL, unpool=unpool, head=head, width=width)
        for width in (2, 3)
        for unpool in ("zeros", "nearest")
        for head in ("conv", "mean")
    ]
    groups = by_encoder(configs[::2] + configs[1::2])
    assert [len(group) for group in groups] == [4, 4]
    assert [{config.width for config in group} for group in groups] == [{2}, {3}]
    assert sorted(map(str, configs)) == sorted(str(c) for group in groups for c in group)


def test_layers_of_one_cnn_are_one_group_where_the_photos_are_large_enough() -> None:
    layers = [replace(SMALL, architecture="alexnet", layer=f"conv{n}") for n in (3, 1, 2)]
    others = [replace(layer, simplified="resized") for layer in layers]
    assert by_encoder(layers + others) == [layers, *([other] for other in others)]
    assert [least_size(layer.encoder()) for layer in layers] == [23, 11, 15]
    assert by_encoder(layers, [(23, 64)]) == [layers]
    assert by_encoder(layers, [(64, 64), (64, 16)]) == [layers[:1], layers[1:]]
