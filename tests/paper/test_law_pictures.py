"""Figure 6: its numbers recomputed from the table, verdicts on pictures made up."""

import pytest
from PIL import Image
from trained_figures import Workplace, paired, parts, picture_means

from preimage.paper.law_pictures import WIDE, _alike, _apart
from preimage.paper.weight_laws import LAWS, PAPER_SIGMA, slug

CAT_FIRST = ["chelsea", "astronaut", "coffee", "rocket"]


def test_figure_6(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig6")
    assert list(dict.fromkeys(row["photo"] for row in rows)) == CAT_FIRST
    assert findings["fig6_alike"].numbers["photos"] == len(CAT_FIRST)
    psnr = picture_means(rows)
    row = "Conv2-DeConv2"
    for law in [*LAWS][1:]:
        got = parts(findings["fig6_alike"].numbers[slug(law)])
        expected = paired(psnr[row, law], psnr[row, PAPER_SIGMA])
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-9)
    wide = parts(findings["fig6_wide"].numbers["gap"])
    assert wide == pytest.approx(paired(psnr[row, WIDE], psnr[row, PAPER_SIGMA]))
    with Image.open(workplace.out / "fig6.png") as picture:
        assert picture.size[0] > 4 * picture.size[1] / 2  # one line of six pictures


def test_laws_alike_and_the_wide_one_apart() -> None:
    row = {law: [20.0, 21.0, 19.0] for law in LAWS} | {WIDE: [15.0, 16.5, 13.5]}
    assert (_alike({"r": row}, 1).verdict, _apart({"r": row}, 1).verdict) == ("holds", "holds")
    row |= {"Laplace(0, 0.015)": [22.0, 23.1, 21.0], WIDE: [20.1, 21.0, 19.1]}
    assert (_alike({"r": row}, 1).verdict, _apart({"r": row}, 1).verdict) == ("fails", "fails")
    row |= {"Laplace(0, 0.015)": [22.0, 20.0, 19.0]}
    assert _alike({"r": row}, 1).verdict == "not decided"
