"""The loop against a plain one; in parts, in bf16, stopped, and on two processes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from preimage.data.crops import Batch
from preimage.decoders.inverter import Inversion
from preimage.decoders.loop import Training
from preimage.decoders.recipes import Recipe
from preimage.network.architectures import vgg16
from preimage.network.build import Network, build
from preimage.network.trace import input_sizes

RECIPE = Recipe(steps=6, batch_size=4, learning_rate=3e-3, crop=12, weight_decay=1e-3)
ENCODER = vgg16().cut("conv2").with_width(4).with_input((120.0,) * 3, (60.0,) * 3)


def batches(count: int = 6, seed: int = 0) -> list[Batch]:
    generator = torch.Generator().manual_seed(seed)
    return [
        Batch(
            torch.randint(0, 256, (4, 3, 13, 12), generator=generator, dtype=torch.uint8),
            torch.randint(0, 3, (4,), generator=generator),
            [],
        )
        for _ in range(count)
    ]


def networks() -> tuple[Network, Network]:
    return build(ENCODER, seed=1), build(ENCODER.mirror("nearest"), seed=1)


def training(recipe: Recipe = RECIPE, **words: int) -> Training:
    return Training(Inversion(*networks(), 2.0), recipe, Accelerator(cpu=True), **words)


def test_equals_a_plain_loop() -> None:
    encoder, decoder = networks()
    optimizer = torch.optim.Adam(
        decoder.parameters(), lr=3e-3, betas=(0.9, 0.999), weight_decay=1e-3
    )
    expected = []
    for step, batch in enumerate(batches()):
        rate = 3e-3 * {0: 1, 1: 1, 2: 1, 3: 0.5, 4: 0.5, 5: 0.25}[step]
        optimizer.param_groups[0]["lr"] = rate
        photos = batch.pixels.float()
        features = encoder(photos).detach() / 2.0
        output = decoder(features, input_sizes(encoder.description, 13, 12))
        loss = ((output - photos) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append((loss.item() / 4, rate))
    found = [(record.loss, record.learning_rate) for record in training().run(batches())]
    assert [rate for _, rate in found] == pytest.approx([rate for _, rate in expected])
    assert [loss for loss, _ in found] == pytest.approx([loss for loss, _ in expected], rel=1e-5)


def test_the_encoder_stays_as_it_is() -> None:
    subject = training()
    before = {k: v.clone() for k, v in subject.objective.encoder.state_dict().items()}
    list(subject.run(batches()))
    after = subject.objective.encoder.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())


@pytest.mark.parametrize("parts", [2, 3, 9])
def test_accumulation_changes_nothing_but_rounding(parts: int) -> None:
    whole = [record.loss for record in training().run(batches())]
    cut = [record.loss for record in training(accumulate=parts).run(batches())]
    assert cut == pytest.approx(whole, rel=1e-5)


def test_state_goes_on_to_the_same_bits() -> None:
    unbroken = training()
    losses = [record.loss for record in unbroken.run(batches())]
    first = training()
    stream = first.run(batches())
    begun = [next(stream).loss for _ in range(3)]
    second = training()
    second.load_state(3, {k: v.clone().contiguous() for k, v in first.state().items()})
    rest = [record.loss for record in second.run(batches()[3:])]
    assert begun + rest == losses
    for name, value in unbroken.state().items():
        assert torch.equal(second.state()[name], value), name


def test_overflown_mean_squares_are_a_state_like_any_other() -> None:
    """At a loss of 1e17 squared gradients overflow, and the steps go on."""
    first = training()
    list(first.run(batches()[:3]))
    state = {k: v.clone().contiguous() for k, v in first.state().items()}
    name = next(k for k in state if k.endswith(".exp_avg_sq"))
    state[name].flatten()[0] = torch.inf
    second = training()
    second.load_state(3, state)
    assert torch.equal(second.state()[name], state[name])
    for wrong, value in ((name, torch.nan), (name.removesuffix("_sq"), torch.inf)):
        broken = {**state, wrong: torch.full_like(state[wrong], value)}
        with pytest.raises(ValueError, match="NaN or infinite"):
            training().load_state(3, broken)


def test_a_loss_that_is_not_finite_stops_the_run() -> None:
    recipe = replace(RECIPE, learning_rate=1e30, steps=50)
    with pytest.raises(ArithmeticError, match=r"is nan at step 2; lower `learning_rate`\.$"):
        list(training(recipe).run(batches(50)))


def test_bf16_follows_float32() -> None:
    recipe = replace(RECIPE, precision="bf16")
    subject = Training(Inversion(*networks(), 2.0), recipe, Accelerator(cpu=True))
    found = [record.loss for record in subject.run(batches())]
    assert found == pytest.approx([record.loss for record in training().run(batches())], rel=0.02)
    assert all(p.dtype == torch.float32 for p in subject.parameters)


def test_auto_precision_is_decided_before() -> None:
    with pytest.raises(ValueError, match="`precision` must be fp32 or bf16 here"):
        training(replace(RECIPE, precision="auto"))


SCRIPT = """
import json, sys, torch
sys.path.insert(0, sys.argv[1])
torch.set_num_threads(1)
from test_loop import RECIPE, Batch, batches, networks
from accelerate import Accelerator
from preimage.decoders.inverter import Inversion
from preimage.decoders.loop import Training
accelerator = Accelerator(cpu=True)
share = 4 // accelerator.num_processes
here = slice(accelerator.process_index * share, (accelerator.process_index + 1) * share)
training = Training(Inversion(*networks(), 2.0), RECIPE, accelerator)
parts = [Batch(b.pixels[here], None, []) for b in batches()]
losses = [record.loss for record in training.run(parts)]
if accelerator.is_main_process:
    print(json.dumps([accelerator.num_processes, losses]))
"""


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    done = subprocess.run(
        [*torchrun, str(script), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "ACCELERATE_USE_CPU": "true"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    processes, losses = json.loads(done.stdout.splitlines()[-1])
    assert processes == 2
    assert losses == pytest.approx([r.loss for r in training().run(batches())], rel=1e-5)
