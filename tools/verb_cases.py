"""Small runs of every verb, for `compare_verbs.py`; they also show how a verb is called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One run: its name, which begins with the verb, its arguments, whether stdout is compared."""

    name: str
    arguments: str
    stdout: bool = True


SMALL = "--width-factor 0.0625"
LEARN = "--steps 4 --batch-size 4 --crop 32 --precision fp32 --in-memory 32 --workers 0"
PAPER = "--train {train} --held-out {held} --networks 2 --photos 6"
CASES = [
    Case("shapes", "shapes vgg16"),
    Case("shapes-alexnet", "shapes alexnet --size 227x300 --width-factor 0.5"),
    Case("show", "show vgg16 --layer conv4 --head mean --unpool nearest --width-factor 0.5"),
    Case("show-json", "show alexnet --layer conv3 --pool avg --width 32 --json"),
    Case("reconstruct", f"reconstruct {{photos}} --layer conv3 {SMALL} --size 64 --out out"),
    Case(
        "reconstruct-words",
        "reconstruct {photo} --architecture alexnet --layer conv2 --width 8 --pool avg --pooled "
        "--unpool bilinear --weights laplace:fan-in --seed 3 --network-number 2 --size 0 "
        "--input nonnegative --head mean --out out",
    ),
    Case(
        "reconstruct-mean",
        f"reconstruct {{photo}} --input mean-subtracted {SMALL} --size 48 --out out",
    ),
    Case("limit", "limit {photo} --layer conv1 --width 4 --networks 3 --size 32 --out out"),
    Case("limit-pooled", "limit --layer conv2 --pool max --networks 2 --size 24 --out out"),
    Case("demo", "demo --networks 2 --size 64 --out out"),
    Case(
        "sweep",
        "sweep run --data {photos} --photos 3 --layer conv1 conv3 --width 4 8 --unpool zeros "
        "nearest --slope 0 0.2 --networks 2 --size 48 --workers 1 --out out",
    ),
    Case("sweep-defaults", "sweep --width 4 --networks 1 --size 32 --workers 1 --out out"),
    Case("fit", f"fit --data {{train}} --layer conv2 {SMALL} --size 48 --out decoder.safetensors"),
    Case(
        "fit-words",
        "fit --data {train} --layer conv1 --width 8 --window 1 --positions 200 --photos 8 "
        "--size 32 --seed 2 --input raw --weights gaussian:0.015 --out decoder.safetensors",
    ),
    Case("reconstruct-decoder", "reconstruct {photos} --decoder {fit} --size 48 --out out"),
    Case(
        "evaluate",
        "evaluate --decoder {fit} --data {train} --held-out {held} --photos 6 --size 48 --out out",
    ),
    Case(
        "train",
        f"train --data {{train}} --held-out {{held}} --measure-every 2 --layer conv2 {SMALL} "
        f"{LEARN} --out out",
    ),
    Case(
        "train-words",
        f"train --data {{train}} --recipe paper --layer conv1 {SMALL} {LEARN} --accumulate 2 "
        "--decoder-bias --decoder-slope 0 --unpool nearest --feature-scaling true "
        "--learning-rate 0.001 --out out",
    ),
    Case(
        "pretrain",
        f"pretrain --data {{classes}} --test {{classes}} --layer conv5 {SMALL} {LEARN} --out out",
    ),
    Case(
        "pretrain-plain",
        f"pretrain --data {{classes}} --layer conv2 {SMALL} {LEARN} --no-batch-norm --seed 1 "
        "--out out",
    ),
    Case("reproduce-table1", "reproduce table1 --out out"),
    Case("reproduce-theory", "reproduce theory --data {photo} --networks 3 --out out"),
    Case("reproduce-fig5", "reproduce fig5 --data {photo} --networks 2 --workers 1 --out out"),
    Case("reproduce-fig7", "reproduce fig7 --data {photo} --networks 2 --workers 1 --out out"),
    Case("reproduce-fig8", "reproduce fig8 --data {photo} --networks 2 --workers 1 --out out"),
    Case("reproduce-fig9", "reproduce fig9 --data {photo} --networks 2 --workers 1 --out out"),
    Case("reproduce-fig10", "reproduce fig10 --data {photo} --networks 2 --workers 1 --out out"),
    # Section 3's figures at scale `paper`, whose recipe says float32.
    Case(
        "reproduce-fig2a",
        f"reproduce fig2a --scale paper {PAPER} --trained {{encoder}} --steps 2 --batch-size 2 "
        f"{SMALL} --side 32 --out out",
    ),
    Case(
        "reproduce-fig2b",
        f"reproduce fig2b --scale paper {PAPER} --trained {{encoder}} --steps 3 --batch-size 2 "
        f"{SMALL} --side 32 --out out",
    ),
    Case(
        "reproduce-fig2c",
        f"reproduce fig2c --scale paper {PAPER} --trained {{encoder}} --steps 2 --batch-size 2 "
        f"{SMALL} --side 32 --out out",
    ),
    Case(
        "reproduce-fig3a",
        f"reproduce fig3a --scale paper {PAPER} --trained {{encoder}} --steps 2 --batch-size 2 "
        f"{SMALL} --side 96 --out out",
    ),
    Case(
        "reproduce-fig4",
        f"reproduce fig4 --scale paper {PAPER} --trained {{encoder}} --steps 2 --batch-size 2 "
        f"{SMALL} --side 32 --data {{photo}} --out out",
    ),
]
