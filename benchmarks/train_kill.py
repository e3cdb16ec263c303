"""Why: a killed training must go on to the bits of the unbroken one.

Kills `preimage train` with SIGKILL at random moments, resumes it each time, and compares every
loss and every weight with those of a run that nobody disturbed.

    python benchmarks/train_kill.py --data FOLDER --kills 20
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from preimage.data.checkpoints import read_checkpoint
from preimage.decoders.loss_curve import read_metrics

NETWORK = ["--layer", "conv2", "--width-factor", "0.1", "--device", "cpu", "--workers", "1"]
RECIPE = ["--crop", "32", "--batch-size", "8", "--precision", "fp32", "--save-every", "0.2"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    base = Path(tempfile.mkdtemp())
    command = [sys.executable, "-m", "preimage", "train", *NETWORK, *RECIPE]
    command += ["--data", words.data, "--steps", str(words.steps)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "--out", str(base / "whole")], env=environment, check=True)
    generator = random.Random(words.seed)
    kills: list[int] = []
    while len(kills) < words.kills:
        process = subprocess.Popen([*command, "--out", str(base / "killed")], env=environment)
        begun = steps(base / "killed")
        while steps(base / "killed") == begun and process.poll() is None:
            time.sleep(0.01)
        time.sleep(1.5 * generator.random())
        if process.poll() is not None:
            raise SystemExit(f"finished after {len(kills)} kills; give it more --steps")
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills.append(steps(base / "killed"))
    subprocess.run([*command, "--out", str(base / "killed")], env=environment, check=True)
    losses = [
        [line["loss"] for line in read_metrics(base / name / "metrics.jsonl")]
        for name in ("whole", "killed")
    ]
    weights = [
        read_checkpoint(base / name / "decoder.safetensors", "decoder").tensors
        for name in ("whole", "killed")
    ]
    same = all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    print(f"{len(kills)} kills, after steps {kills}")
    print(f"losses equal: {losses[0] == losses[1]}, weights equal: {same}")
    shutil.rmtree(base)
    if not (same and losses[0] == losses[1]):
        raise SystemExit(1)


def steps(folder: Path) -> int:
    """Steps in the loss curve."""
    return len(read_metrics(folder / "metrics.jsonl"))


if __name__ == "__main__":
    main()
