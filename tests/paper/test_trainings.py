"""Trainings of a figure: what they are given, what they leave, and that they are made once."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trained_figures import Workplace

from preimage.data.checkpoints import read_checkpoint
from preimage.decoders.inverter import Inverter
from preimage.paper import registry
from preimage.paper import trainings as trainings_module
from preimage.paper.arms import Arm
from preimage.paper.finding import Incomplete
from preimage.paper.options import FigureOptions, TrainingSet
from preimage.paper.trainings import Trainings
from preimage.sweeps.grid import Execution


def test_photos_are_needed() -> None:
    for given, missing in (({}, "train"), ({"train": "photos"}, "held_out")):
        with pytest.raises(ValueError, match=f"`{missing}` is missing; name a folder, a zip"):
            Trainings(FigureOptions(figure="fig2b", training=TrainingSet(**given)))


def test_the_side_of_photos_bounds_crops_and_fills_batches() -> None:
    def trainings(**training: int) -> Trainings:
        photos = TrainingSet(train="a", held_out="b", **training)
        return Trainings(FigureOptions(figure="fig2c", training=photos))

    quick = trainings()
    assert (quick.side, quick.preset.crop, quick.batch_size) == (128, 64, 16)
    small = trainings(side=32)
    assert (small.side, small.preset.crop, small.batch_size) == (32, 32, 64)
    assert trainings(side=32, batch_size=5).batch_size == 5
    recipe = small.settings(Arm(small.random_encoder("conv2", 0))).recipe
    assert (recipe.crop, recipe.batch_size, recipe.steps) == (32, 64, 300)
    assert (recipe.learning_rate, recipe.precision) == (2e-3, "fp32")


def test_losses_are_per_value_of_a_pixel(workplace: Workplace) -> None:
    """Against the curve that the training left, and the error that the scaled-down pixels have."""
    trainings = Trainings(workplace.options("fig2c"))
    arm = Arm(trainings.random_encoder("conv2", 0, slope=0.2), feature_scaling=False)
    trained = trainings.train(arm)
    lines = (trainings.settings(arm).folder / "metrics.jsonl").read_text().splitlines()
    sums = [json.loads(line)["loss"] for line in lines]
    assert trained.losses == [loss / (3 * 64**2) for loss in sums]
    # Before the first step the DCN's output is far smaller than the pixels.
    assert 1e3 < trained.losses[0] < 255**2
    assert trained.inverter.card["training"]["recipe"]["steps"] == 4


def test_nothing_is_trained_or_fitted_twice(workplace: Workplace, tmp_path: Path) -> None:
    trainings = Trainings(workplace.options("fig3b", out=str(tmp_path)))
    encoder = trainings.random_encoder("conv3", 0)
    first = trainings.train(Arm(encoder)), trainings.fit(encoder)
    seconds = trainings.seconds
    assert seconds > 0
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("metrics.jsonl")}
    written |= {path: path.stat().st_mtime_ns for path in tmp_path.rglob("fits/*")}
    curves = {path: path.read_bytes() for path in tmp_path.rglob("metrics.jsonl")}
    again = trainings.train(Arm(encoder)), trainings.fit(encoder)
    assert {path: path.read_bytes() for path in curves} == curves
    assert all(path.stat().st_mtime_ns == at for path, at in written.items() if "fits" in str(path))
    assert first[0].losses == again[0].losses
    assert trainings.seconds == seconds  # nor counted twice
    later = Trainings(workplace.options("fig3b", out=str(tmp_path)))
    later.fit(encoder)
    assert 0 < later.seconds < seconds
    later.train(Arm(encoder))
    assert later.seconds == seconds  # as the run before left them
    later.scores(first[1])
    assert later.seconds > seconds
    photo = torch.rand(1, 3, 40, 40) * 255
    for one, other in ((first[0].inverter, again[0].inverter), (first[1], again[1])):
        assert torch.equal(one(photo), other(photo))


def test_the_fit_has_the_encoder_of_the_training(workplace: Workplace) -> None:
    """Input included: a comparison of the two decoders changes the decoder alone."""
    trainings = Trainings(workplace.options("fig3b"))
    encoder = trainings.random_encoder("conv3", 0)
    trained, fitted = trainings.train(Arm(encoder)).inverter, trainings.fit(encoder)
    photo = torch.rand(1, 3, 40, 36) * 255
    assert isinstance(fitted, Inverter)
    assert torch.equal(trained.features(photo), fitted.features(photo))


def test_a_random_twin_differs_from_its_trained_encoder_in_weights_alone(
    workplace: Workplace,
) -> None:
    trainings = Trainings(workplace.options("fig2a"))
    random, trained = trainings.encoders("conv2", 2)
    assert [kind.label for kind in (random, trained)] == ["VGG16 random", "VGG16 trained here"]
    networks = [
        trainings.train(Arm(encoder, feature_scaling=False)).inverter.encoder
        for kind in (random, trained)
        for encoder in kind.networks
    ]
    assert len({network.description for network in networks}) == 1
    weights = [torch.cat([p.flatten() for p in network.parameters()]) for network in networks]
    assert len({round(float(w.norm()), 3) for w in weights}) == 4


def test_files_are_of_the_architecture_that_their_card_names(
    workplace: Workplace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trainings = Trainings(workplace.options("fig2a"), takes=("vgg16", "alexnet"))
    assert caplog.messages == []
    Trainings(workplace.options("fig3a"))
    left_out = ", ".join(workplace.trained[2:])
    assert caplog.messages == [f"fig3a takes VGG16; left out: {left_out}."]
    assert trainings.trained_files() == workplace.trained[:2]
    random, trained = trainings.encoders("conv2", 2, "alexnet")
    assert [kind.label for kind in (random, trained)] == ["AlexNet random", "AlexNet trained here"]
    assert [encoder.weights for encoder in trained.networks] == list(workplace.trained[2:])
    (alone,) = Trainings(
        workplace.options("fig2a", training=replace(trainings.options.training, trained=()))
    ).encoders("conv2", 2, "alexnet")
    assert alone.label == "AlexNet random"
    only_alexnets = replace(trainings.options.training, trained=workplace.trained[2:])
    there = tmp_path / "vgg16.pth"
    there.touch()
    for file, expected in ((tmp_path / "absent", ()), (there, ("imagenet",))):
        monkeypatch.setattr(trainings_module, "cached_file", lambda name, file=file: file)
        found = Trainings(workplace.options("fig2a", training=only_alexnets))
        assert found.trained_files() == expected


def test_one_random_twin_where_a_single_trained_encoder_has_no_interval(
    workplace: Workplace,
) -> None:
    options = workplace.options("fig3a", networks=None)
    assert Trainings(options).num_compared == 3
    one = replace(options, training=replace(options.training, trained=workplace.trained[:1]))
    assert Trainings(one).num_compared == 1
    assert Trainings(replace(one, networks=5)).num_compared == 5


@pytest.mark.slow
@pytest.mark.parametrize("figure", ["fig3b", "fig6"])
def test_the_papers_preset_runs_two_steps(
    figure: str, workplace: Workplace, tmp_path: Path
) -> None:
    """Photos are read when needed, cropped to 227 from 256, and scored at 227; one network each."""
    training = TrainingSet(
        train=str(workplace.photos / "train"),
        held_out=str(workplace.photos / "held_out"),
        trained=workplace.trained[:1],
        steps=2,
        batch_size=1,
        width_factor=0.02,
        photos=2,
    )
    options = FigureOptions(
        figure=figure, scale="paper", out=str(tmp_path), device="cpu", training=training
    )
    findings = registry.run(options)
    assert len(findings) == 2
    assert {f.verdict for f in findings} <= {"holds", "fails", "not decided"}
    state = next(tmp_path.glob("trainings/*/state.safetensors"))
    recipe = read_checkpoint(state, "training state").card["settings"]["recipe"]
    assert (recipe["crop"], recipe["resize"], recipe["precision"]) == (227, 256, "fp32")
    assert (recipe["feature_scaling"], recipe["weight_decay"]) == (False, 4e-4)
    assert Trainings(options).side == 227


def test_time_that_is_up_and_what_it_would_cost(workplace: Workplace, tmp_path: Path) -> None:
    options = workplace.options("fig2c", out=str(tmp_path))
    options = replace(options, training=replace(options.training, steps=50, side=24))
    hurried = replace(options, execution=Execution(max_minutes=1e-6))
    with pytest.raises(Incomplete, match="fig2c: time was up; run it again to go on"):
        registry.run(hurried)
    # Four laws, as they are and scaled, two networks, two photos each; some steps were done.
    told = r"16 trainings, 800 steps \(\d+ done\), 1,600 photos"
    assert re.search(told, str(registry.cost(options)))
