import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import preimage.paper
from preimage.paper import registry
from preimage.paper.finding import Claim
from preimage.paper.options import FigureOptions


def test_the_list_needs_no_torch() -> None:
    code = (
        "import sys, preimage.paper.registry, preimage.paper.options;"
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("figure", registry.FIGURES)
def test_every_module_runs_and_says_its_cost(figure: str) -> None:
    for name in registry.FIGURES[figure].modules:
        module = import_module(f"preimage.paper.{name}")
        assert callable(module.run)
        assert callable(module.cost)


def test_claims_belong_to_figures_and_have_names_of_their_own() -> None:
    declared: dict[str, set[Claim]] = {}
    for path in Path(preimage.paper.__file__).parent.glob("*.py"):
        module = import_module(f"preimage.paper.{path.stem}")
        for value in vars(module).values():
            for claim in value.values() if isinstance(value, dict) else [value]:
                for each in claim.values() if isinstance(claim, dict) else [claim]:
                    if isinstance(each, Claim):
                        assert each.figure in (*registry.FIGURES, "demo")
                        assert re.fullmatch(r"[A-Za-z0-9._]+", each.name)
                        declared.setdefault(each.name, set()).add(each)
    assert len(declared) >= 20
    assert all(len(claims) == 1 for claims in declared.values())


def test_an_unknown_figure() -> None:
    with pytest.raises(ValueError, match=r"`figure` must be one of fig1, table1, .*, got 'fig11'"):
        registry.run(FigureOptions(figure="fig11"))


def test_costs_name_the_work(section4, tmp_path: Path, small: None) -> None:
    options = FigureOptions(figure="fig8", networks=3, out=str(tmp_path / "out"))
    assert "36 cells (0 done) on 2 photos; 9 jobs" in str(registry.cost(options))
    assert not (tmp_path / "out").exists()
    theory = FigureOptions(figure="theory", networks=120)
    assert "120 networks per width: about 24 s" in str(registry.cost(theory))
    assert registry.cost(theory).seconds == 26
