"""What the demo's networks say about the paper's statements on random CNN-DCNs (Section 4).

All of nearest unpooling. Networks are compared by their number: network 7 of two layers, heads or
widths has a CNN or the first weights of a stream in common.
"""

from statistics import fmean

from preimage.paper.curves import relative_std, relative_std_ratio
from preimage.paper.decision import all_of, is_above, is_below, is_below_one, is_within
from preimage.paper.finding import Claim, Finding, Number, decided_together
from preimage.paper.layers import SIMILAR
from preimage.paper.overview import COMPARED, Grid, Overview
from preimage.scores.statistics import paired_difference

WHOLE, SIMPLE = "VGG16, nearest", "VGG16 simplified, nearest"
MEAN, CONV = "channel mean, nearest", "last convolution, nearest"

DEPTH = Claim(
    "demo_depth",
    "demo",
    "Section 4.1: by layer",
    "The deeper the layer, the coarser the picture.",
)
SIMPLIFIED = Claim(
    "demo_simplified",
    "demo",
    "Section 4.1: the image straight to block Conv k",
    "The simplified network gives similar pictures: the layer's dimension matters much, depth "
    "little.",
)
WIDTH = Claim(
    "demo_width",
    "demo",
    "Section 4.2: by width",
    "More channels, better pictures.",
)
GROWTH = Claim(
    "demo_growth",
    "demo",
    "Section 4.2: growth with the channel mean",
    "Growth is far plainer with the channel mean than with a random last convolution.",
)
CONVERGENCE = Claim(
    "demo_convergence",
    "demo",
    "Section 4.2: convergence with the channel mean",
    "Convergence is far plainer with the channel mean than with a random last convolution.",
)


def findings(overview: Overview) -> list[Finding]:
    """The paper's statements beside what these networks measured; ± are 95 % intervals."""
    found = [
        _depth(overview),
        _simplified(overview),
        _width(overview),
        _growth(overview),
        _convergence(overview),
    ]
    return decided_together(found)


def _course(grid: Grid, row: str) -> tuple[str, dict[str, Number]]:
    """|r| over the columns: a format string, and its numbers."""
    names = {column: f"r_{column}" for column in grid.columns}
    numbers: dict[str, Number] = {
        name: grid.interval(row, column, "pearson", absolute=True) for column, name in names.items()
    }
    return " → ".join(f"{{{name}.mean:.2f}}" for name in names.values()), numbers


def _counts(overview: Overview, grid: Grid, row: str) -> dict[str, Number]:
    """Of what a verdict rests on, the first columns; and of the last."""
    return {
        "photos": len(overview.photos),
        "networks": grid.num_networks(row, grid.columns[0]),
        "networks_last": grid.num_networks(row, grid.columns[-1]),
    }


_COUNTED = " ({networks} networks × {photos} photos)"
_COUNTED_WIDTHS = " ({networks} networks × {photos} photos, {networks_last} at the largest width)"


def _depth(overview: Overview) -> Finding:
    grid = overview.by_layer
    shallow, deep = grid.columns[0], grid.columns[-1]
    decay = paired_difference(grid.averages(WHOLE, deep), grid.averages(WHOLE, shallow))
    course, numbers = _course(grid, WHOLE)
    return DEPTH.finding(
        f"|r| from Conv1 to Conv5: {course}; the difference between Conv5 and Conv1 is "
        f"{{decay:+.2f}}{_COUNTED}",
        is_below(decay),
        {**numbers, "decay": decay, **_counts(overview, grid, WHOLE)},
        brief=f"|r| {course}; Conv5 − Conv1 {{decay:+.2f}}{_COUNTED}",
    )


def _simplified(overview: Overview) -> Finding:
    """Of the layers behind the first, up to which both are the same network."""
    grid = overview.by_layer
    simple, whole = (
        [
            fmean(network)
            for network in zip(*(grid.averages(row, c) for c in grid.columns[1:]), strict=True)
        ]
        for row in (SIMPLE, WHOLE)
    )
    gap = paired_difference(simple, whole)
    course, numbers = _course(grid, SIMPLE)
    return SIMPLIFIED.finding(
        f"|r| of the simplified network: {course}; over the four layers behind Conv1, where "
        "the two are not the same, it differs from the whole network by {gap:+.2f} "
        f"(similar: within ± {{similar}}){_COUNTED}",
        is_within(gap, SIMILAR),
        {**numbers, "gap": gap, "similar": SIMILAR, **_counts(overview, grid, SIMPLE)},
        brief=f"|r| {course}; Conv2 to Conv5, difference from the whole network {{gap:+.2f}}, "
        f"similar within ± {{similar}}{_COUNTED}",
    )


def _width(overview: Overview) -> Finding:
    grid = overview.by_width
    narrow, wide = map(str, COMPARED)
    growth = paired_difference(grid.averages(MEAN, wide), grid.averages(MEAN, narrow))
    course, numbers = _course(grid, MEAN)
    limit = overview.limits[MEAN, "pearson"].mean
    return WIDTH.finding(
        f"|r| of the channel mean at widths {', '.join(grid.columns)}: {course}; it grows by "
        f"{{growth:+.2f}} from width {narrow} to {wide}, and tends to {{limit:.3f}}"
        f"{_COUNTED_WIDTHS}",
        is_above(growth),
        {**numbers, "growth": growth, "limit": limit, **_counts(overview, grid, MEAN)},
        brief=f"|r| at widths {', '.join(grid.columns)}: {course}, growth from {narrow} to {wide} "
        f"{{growth:+.2f}}; at infinite width {{limit:.3f}}{_COUNTED_WIDTHS}",
    )


def _growth(overview: Overview) -> Finding:
    """Of |r| from the narrowest to the widest, mean head against convolution."""
    grid = overview.by_width
    narrow, wide = map(str, COMPARED)
    growth = {
        name: paired_difference(grid.averages(row, wide), grid.averages(row, narrow))
        for name, row in (("mean", MEAN), ("conv", CONV))
    }
    # Both heads stand behind one CNN: network 7 against network 7, wide against narrow.
    ahead = {
        column: [
            a - b
            for a, b in zip(grid.averages(MEAN, column), grid.averages(CONV, column), strict=True)
        ]
        for column in (narrow, wide)
    }
    more = paired_difference(ahead[wide], ahead[narrow])
    return GROWTH.finding(
        f"|r| grows from width {narrow} to {wide} by {{mean:+.2f}} with the mean and by "
        "{conv:+.2f} with the convolution; the difference, network against network, is "
        f"{{more:+.2f}}{_COUNTED}",
        all_of(is_above(growth["mean"]), is_above(more)),
        {**growth, "more": more, **_counts(overview, grid, MEAN)},
        brief=f"growth of |r| from width {narrow} to {wide} {{mean:+.2f}} with the mean, "
        f"{{conv:+.2f}} with the convolution, difference {{more:+.2f}}{_COUNTED}",
    )


def _convergence(overview: Overview) -> Finding:
    """Of SSIM: how much networks of the largest width differ, for their mean."""
    grid = overview.by_width
    wide = str(COMPARED[-1])
    mean, conv = (grid.averages(row, wide, "ssim") for row in (MEAN, CONV))
    ratio = relative_std_ratio(mean, conv)
    return CONVERGENCE.finding(
        f"at width {wide} the deviation of SSIM over networks is {{mean:.1f}} % of its mean with "
        "the channel mean and {conv:.1f} % with the convolution: a ratio of {ratio:.2f} ({low:.2f} "
        f"to {{high:.2f}}){_COUNTED}",
        is_below_one(ratio),
        {
            "mean": 100 * relative_std(mean),
            "conv": 100 * relative_std(conv),
            "ratio": ratio.value,
            "low": ratio.low,
            "high": ratio.high,
            **_counts(overview, grid, MEAN),
        },
        brief=f"deviation of SSIM at width {wide} {{mean:.1f}} % of its mean, with the "
        f"convolution {{conv:.1f}} % (ratio {{low:.2f}} to {{high:.2f}}){_COUNTED}",
    )
