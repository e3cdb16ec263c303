"""Figure 7: paired differences over the layers, an equivalence margin for "similar"."""

import csv
from statistics import fmean

import pytest

from preimage.network.architectures import LAYERS
from preimage.paper import layers
from preimage.paper.curves import Curve
from preimage.scores.statistics import paired_difference


def test_numbers_are_those_of_the_sweep(section4) -> None:
    found = section4("fig7")
    with (section4.folder / "layers" / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))

    def averages(simplified: str, layer: str) -> list[float]:
        wanted = {"simplified": simplified, "layer": layer, "unpool": "zeros"}
        return [
            fmean(
                abs(float(row["pearson"]))
                for row in table
                if row["network_number"] == str(number)
                and all(row[name] == value for name, value in wanted.items())
            )
            for number in range(4)
        ]

    decay = paired_difference(averages("no", "conv2"), averages("no", "conv1"))
    numbers = found["fig7_depth"].numbers
    assert numbers["zeros"].mean == pytest.approx(decay.mean)
    assert numbers["zeros"].half_width == pytest.approx(decay.half_width)
    gap = paired_difference(averages("resized", "conv2"), averages("no", "conv2"))
    assert found["fig7_simplified"].numbers["zeros"].mean == pytest.approx(gap.mean)
    assert found["fig7_simplified"].numbers["similar"] == 0.1
    assert {path.name for path in section4.folder.glob("fig7*.png")} == set(
        found["fig7_depth"].pictures
    )


def synthetic(whole: float, simplified: float, noise: float = 0.01) -> layers.Curves:
    """|r| that falls by `whole` per layer, and stands `simplified` above it without depth."""

    def curve(offset: float) -> Curve:
        return Curve(
            "c",
            {
                layer: {n: 0.6 + offset - whole * depth + noise * (n - 2) for n in range(5)}
                for depth, layer in enumerate(LAYERS)
            },
        )

    return {
        (row, unpool): curve(offset)
        for row, offset in (("whole", 0.0), ("simplified", simplified))
        for unpool in ("zeros", "nearest")
    }


@pytest.mark.parametrize(
    ("gap", "verdict"), [(0.05, "holds"), (-0.05, "holds"), (0.3, "fails"), (-0.3, "fails")]
)
def test_similar_is_within_a_margin(gap: float, verdict: str) -> None:
    assert layers._simplified(synthetic(0.1, gap), 2).verdict == verdict


def test_a_wide_interval_decides_nothing() -> None:
    curves = synthetic(0.1, 0.0)
    other = {
        n: value + (-1) ** n * 0.3 for n, value in curves["whole", "zeros"].values["conv1"].items()
    }
    curves["simplified", "zeros"] = Curve("c", dict.fromkeys(LAYERS, other))
    found = layers._simplified(curves, 2)
    assert found.verdict == "not decided"
    assert "would take about" in found.verdict_text


def test_depth_is_judged_with_the_papers_unpooling() -> None:
    rising, falling = synthetic(-0.1, 0.0), synthetic(0.1, 0.0)
    assert layers._depth(falling, 2).verdict == "holds"
    assert layers._depth(rising, 2).verdict == "fails"
    mixed = {key: (falling if key[1] == "zeros" else rising)[key] for key in falling}
    assert layers._depth(mixed, 2).verdict == "holds"
    assert layers._depth(mixed, 2).numbers["nearest"].mean == pytest.approx(0.4)
