"""The demo's verdicts, on grids whose numbers are written down."""

import pytest
import torch

from preimage.data.photo import Photo
from preimage.network.spec import ReconstructConfig
from preimage.paper.curves import relative_std_ratio
from preimage.paper.overview import BY_LAYER, BY_WIDTH, WIDTHS, Grid, Overview, Scored
from preimage.paper.overview_claims import CONV, MEAN, SIMPLE, WHOLE, findings
from preimage.scores.statistics import Interval, paired_difference

PHOTO = Photo("p", "p", torch.zeros(3, 2, 2))
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def network(number: int, ssim: float, pearson: float) -> Scored:
    record = {"photo": "p", "ssim": ssim, "pearson": pearson}
    return Scored(ReconstructConfig(network_number=number), [record])


def grid(rows: list[str], columns: dict[str, int], r: dict[str, dict[str, list[float]]]) -> Grid:
    """|r| as given, else about 0.5; SSIM the same. The sign of r is a random last convolution's."""
    cells = {}
    for row in rows:
        for column, count in columns.items():
            values = r.get(row, {}).get(column, spread(0.5, 0.001, count))
            cells[row, column] = [network(n, v, v * (-1) ** n) for n, v in enumerate(values)]
    return Grid(tuple(rows), tuple(columns), cells, {})


def overview(
    by_layer: dict[str, dict[str, list[float]]] | None = None,
    by_width: dict[str, dict[str, list[float]]] | None = None,
) -> Overview:
    widths = {str(width): count for width, count in zip(WIDTHS, (6, 6, 5), strict=True)}
    return Overview(
        grid([row.label for row in BY_LAYER], dict.fromkeys(LAYERS, 5), by_layer or {}),
        grid([row.label for row in BY_WIDTH], widths, by_width or {}),
        {(MEAN, "pearson"): Interval(0.947, 1e-4, 4)},
        [PHOTO],
        ReconstructConfig(),
    )


def verdicts(found: Overview) -> dict[str, str]:
    return {
        finding.claim.name.removeprefix("demo_"): finding.verdict for finding in findings(found)
    }


def spread(mean: float, noise: float, count: int, shift: int = 0) -> list[float]:
    """Of this mean, in steps of `noise`; `shift` puts them in another order."""
    values = [mean + noise * (n - (count - 1) / 2) for n in range(count)]
    return values[shift:] + values[:shift]


def test_depth_and_similarity_are_paired() -> None:
    noise = [-0.2, -0.1, 0.0, 0.1, 0.2]  # of a network, in all its layers
    falls = {x: [0.6 - 0.05 * d + n for n in noise] for d, x in enumerate(LAYERS)}
    jitter = [0.002, -0.002, 0.0, 0.001, -0.001]

    def above(gap: float) -> dict[str, list[float]]:
        pairs = {x: zip(values, jitter, strict=True) for x, values in falls.items()}
        return {x: [v + gap + j for v, j in each] for x, each in pairs.items()}

    found = verdicts(overview({WHOLE: falls, SIMPLE: above(0.03)}))
    assert (found["depth"], found["simplified"]) == ("holds", "holds")
    rises = dict(zip(LAYERS, reversed(list(falls.values())), strict=True))
    found = verdicts(overview({WHOLE: falls, SIMPLE: above(0.2)}))
    assert found["simplified"] == "fails"
    # Up to Conv1 both are one network: its difference of nothing does not count.
    alike = above(0.09)
    found = findings(overview({WHOLE: falls, SIMPLE: {**alike, "conv1": falls["conv1"]}}))
    gap = {f.claim.name: f for f in found}["demo_simplified"].numbers["gap"]
    assert gap.mean == pytest.approx(0.09)
    assert verdicts(overview({WHOLE: rises}))["depth"] == "fails"


def by_width(mean: tuple[float, float], conv: tuple[float, float], noise: float) -> Overview:
    """Of |r| at the two widths that are compared; `noise` is the convolution's alone."""
    return overview(
        by_width={
            MEAN: {"8": spread(mean[0], 0.001, 6), "64": spread(mean[1], 0.001, 6, 1)},
            CONV: {"8": spread(conv[0], noise, 6, 4), "64": spread(conv[1], noise, 6, 2)},
        }
    )


def test_a_difference_of_significance_is_no_significance_of_a_difference() -> None:
    """Growth of 0.1 that is sure and growth of 0.1 that is not: nobody knows which is larger."""
    unsure = by_width((0.8, 0.9), (0.5, 0.6), noise=0.1)
    growth = {f.claim.name: f for f in findings(unsure)}["demo_growth"]
    assert growth.numbers["mean"].sign == 1
    assert growth.numbers["conv"].sign == 0
    assert growth.verdict == "not decided"
    assert verdicts(by_width((0.8, 0.9), (0.5, 0.51), noise=0.001))["growth"] == "holds"
    assert verdicts(by_width((0.8, 0.9), (0.4, 0.6), noise=0.001))["growth"] == "fails"


def test_growth_is_compared_network_by_network() -> None:
    found = by_width((0.8, 0.9), (0.5, 0.55), noise=0.02)
    cells = found.by_width
    ahead = {
        column: [
            a - b
            for a, b in zip(cells.averages(MEAN, column), cells.averages(CONV, column), strict=True)
        ]
        for column in ("8", "64")
    }
    more = {f.claim.name: f for f in findings(found)}["demo_growth"].numbers["more"]
    assert more == paired_difference(ahead["64"], ahead["8"])


def test_convergence_is_a_ratio_with_its_interval() -> None:
    found = {f.claim.name: f for f in findings(by_width((0.8, 0.9), (0.5, 0.6), noise=0.1))}
    convergence = found["demo_convergence"]
    assert convergence.verdict == "holds"
    mean, conv = spread(0.9, 0.001, 6, 1), spread(0.6, 0.1, 6, 2)
    expected = relative_std_ratio(mean, conv)
    assert convergence.numbers["high"] == pytest.approx(expected.high)
    alike = overview(
        by_width={
            MEAN: {"64": spread(0.9, 0.011, 6)},
            CONV: {"64": spread(0.9, 0.01, 6, 2)},
        }
    )
    assert verdicts(alike)["convergence"] == "not decided"


def test_width_says_where_it_tends() -> None:
    found = {f.claim.name: f for f in findings(by_width((0.8, 0.9), (0.5, 0.6), noise=0.1))}
    assert found["demo_width"].verdict == "holds"
    assert "tends to 0.947" in found["demo_width"].ours
    assert "(6 networks × 1 photos, 5 at the largest width)" in found["demo_width"].ours
