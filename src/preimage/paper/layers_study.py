"""Random networks by layer (Section 4.1): Figure 7, whole networks above simplified ones."""

from collections.abc import Sequence

from preimage.network.architectures import LAYERS
from preimage.network.spec import DeviceName
from preimage.paper.curves import Curve, curve
from preimage.paper.sweeping import UNPOOLS
from preimage.scores.statistics import Interval, paired_difference
from preimage.sweeps.grid import SweepConfig
from preimage.sweeps.run import Results

#: The paper's two rows: its words, and those of the network straight to the block.
ROWS = {"whole": "no", "simplified": "resized"}


def grid(networks: int, seed: int, device: DeviceName) -> SweepConfig:
    """VGG16's five layers, whole and simplified, both unpoolings."""
    return SweepConfig(
        layer=LAYERS,
        simplified=("no", "resized"),
        unpool=UNPOOLS,
        networks=networks,
        seed=seed,
        device=device,
    )


def by_layer(results: Results, row: str, unpool: str, metric: str, absolute: bool = False) -> Curve:
    """The score of one of `ROWS` over the layers."""
    words = {"simplified": ROWS[row], "unpool": unpool}
    return curve(results, f"{row}, {unpool}", "layer", words, metric, absolute)


def deep_less_shallow(by_layer: Curve) -> Interval:
    """Conv5 less Conv1, network 7 against network 7."""
    return _paired(by_layer.values[LAYERS[-1]], by_layer.values[LAYERS[0]])


def simplified_less_whole(simplified: Curve, whole: Curve) -> Interval:
    """Of the averages over the layers, network 7 against network 7."""
    return _paired(_over_layers(simplified), _over_layers(whole))


def _over_layers(by_layer: Curve) -> dict[int, float]:
    numbers = set.intersection(*(set(networks) for networks in by_layer.values.values()))
    return {
        number: sum(networks[number] for networks in by_layer.values.values())
        / len(by_layer.values)
        for number in numbers
    }


def _paired(values: dict[int, float], others: dict[int, float]) -> Interval:
    numbers: Sequence[int] = sorted(values.keys() & others.keys())
    return paired_difference([values[n] for n in numbers], [others[n] for n in numbers])
