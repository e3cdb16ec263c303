from pathlib import Path

from preimage.paper import architecture, table1
from preimage.paper.options import FigureOptions


def test_table_1_is_the_papers(tmp_path: Path) -> None:
    (finding,) = table1.run(FigureOptions(figure="table1", out=str(tmp_path)))
    assert finding.verdict == "holds"
    assert finding.ours == finding.claim.statement
    assert (tmp_path / "table1.csv").read_text().splitlines()[-1] == "conv5,512,15,115200"


def test_figure_1_is_the_papers() -> None:
    (finding,) = architecture.run(FigureOptions(figure="fig1"))
    assert finding.verdict == "holds"
    assert finding.ours == (
        "26 convolutions, 4 pools, 4 unpoolings, 1 crop; 227×227 pixels in, 227×227 out"
    )
