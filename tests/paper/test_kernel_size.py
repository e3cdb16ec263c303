"""Figure 10: one verdict per network, from its own slope."""

import csv

import pytest

from preimage.paper import kernel_size
from preimage.paper.curves import Curve, slope


def test_each_network_has_its_own_finding(section4) -> None:
    found = section4("fig10")
    assert list(found) == ["fig10", "fig10_variant"]
    with (section4.folder / "fig10.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    means = {(row["curve"], row["kernel_size"]): float(row["mean"]) for row in rows}
    for name, head in (("fig10", "conv"), ("fig10_variant", "mean")):
        numbers = found[name].numbers
        assert (numbers["smallest"], numbers["largest"], numbers["photos"]) == (3, 15, 2)
        assert numbers["first"].mean == pytest.approx(means[f"{head}, ssim", "3"])
        assert numbers["last"].mean == pytest.approx(means[f"{head}, ssim", "15"])
    conv, mean = (found[name].numbers["ssim"] for name in found)
    assert conv.mean != mean.mean


@pytest.mark.parametrize(
    ("step", "noise", "verdict"),
    [(-0.1, 0.01, "holds"), (0.1, 0.01, "fails"), (-0.01, 0.3, "not decided")],
)
def test_the_verdict_is_the_slopes(step: float, noise: float, verdict: str) -> None:
    curve = Curve(
        "c",
        {
            size: {n: 0.5 + step * place + noise * (n - 1.5) * place for n in range(4)}
            for place, size in enumerate((3, 6, 12))
        },
    )
    found = kernel_size._finding("conv", curve, curve, 2, ("p.png", "t.csv"))
    assert found.verdict == verdict
    assert found.numbers["ssim"] == slope(curve)
    assert f"{slope(curve).mean:+.3f}".replace("-", "−") in found.ours
