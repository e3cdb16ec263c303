"""The tools that watch over the code, on codes whose faults are known."""

import ast
import importlib.util
import re
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("imported", "expected"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b → c → b"]),
        ({"a": {"b", "d"}, "b": {"c"}, "c": {"a"}, "d": {"d"}}, ["a → b → c → a", "d → d"]),
    ],
)
def test_import_circles(imported: dict[str, set[str]], expected: list[str]) -> None:
    found = load("check_structure").circles(imported)
    assert list(found) == [f"import circle: {way}" for way in expected]


def test_lines_of_a_body_are_counted_without_its_docstring() -> None:
    code = 'def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n\n    return a\n'
    (function,) = ast.parse(code).body
    assert load("check_structure").body_lines(function) == 3


def test_long_files_and_functions_are_named(tmp_path: Path) -> None:
    tool = load("check_structure")
    (tmp_path / "long.py").write_text("def f():\n" + "    x = 1\n" * 41 + "y = 2\n" * 260)
    (tmp_path / "short.py").write_text("x = 1\n" * 6)
    files = sorted(tmp_path.iterdir())
    assert list(tool.too_long(tmp_path, files)) == ["long.py: 302 lines, at most 300"]
    assert list(tool.long_functions(tmp_path, files)) == ["long.py:1: `f` has 41 lines, at most 40"]
    assert list(tool.too_long_in_the_middle(files)) == [
        "src: the median module has 154 lines, at most 130"
    ]


def test_what_ci_installs_has_hashes_and_the_versions_of_the_constraints() -> None:
    """A pin without a hash, or another version: run tools/write_lock.py."""

    def canonical(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    text = (TOOLS.parent / "constraints.txt").read_text("utf-8")
    pins = {canonical(n): v for n, v in re.findall(r"^([^#=\s]+)==(\S+)$", text, re.MULTILINE)}
    locked = (TOOLS.parent / "locked.txt").read_text("utf-8").splitlines()
    lines = [line for line in locked if not line.startswith("#")]
    found = [re.fullmatch(r"(\S+)==(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in lines]
    assert all(found)
    names = {canonical(match[1]): match[2] for match in found if match}
    assert {name: pins.get(name) for name in names} == names
    project = tomllib.loads((TOOLS.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [
        project["dependencies"],
        *(extras[name] for name in ("test", "browser", "dist", "docs", "models")),
    ]
    asked = {canonical(re.split(r"[\[><=]", line)[0]) for lines in wanted for line in lines}
    assert asked - set(names) == {"torch"}


def test_a_report_of_pip_becomes_lines_with_hashes() -> None:
    tool = load("write_lock")
    item = {
        "metadata": {"name": "NumPy", "version": "2.4.6"},
        "download_info": {"archive_info": {"hashes": {"sha256": "ab"}}},
    }
    local = {"metadata": {"name": "preimage", "version": "0"}, "download_info": {"dir_info": {}}}
    found = tool.packages({"install": [item, local]})
    assert tool.lock(found).splitlines()[-1] == "numpy==2.4.6 --hash=sha256:ab"


def test_outcomes_of_repeated_runs() -> None:
    tool = load("repeat_tests")
    text = "FAILED tests/a.py::b[c] - assert 1\nERROR tests/d.py\n== 1 failed, 3 passed in 9.1s =="
    assert tool.read_outcome(text) == ("1 failed, 3 passed", ("tests/a.py::b[c]", "tests/d.py"))
    assert tool.read_outcome("713 passed in 170.31s (0:02:50)") == ("713 passed", ())
    runs = tool.planned(20)
    conditions = [run.condition for run in runs]
    assert (conditions.count("under load"), conditions.count("one thread")) == (5, 5)
    assert len({(run.hash_seed, run.hypothesis_seed, run.global_seed) for run in runs}) == 20


def test_a_file_that_a_wheel_lacks_is_named(tmp_path: Path) -> None:
    package = tmp_path / "src" / "preimage"
    (package / "templates").mkdir(parents=True)
    (package / "__pycache__").mkdir()
    for name in ("a.py", "templates/b.html", "__pycache__/a.pyc"):
        (package / name).touch()
    with zipfile.ZipFile(tmp_path / "preimage.whl", "w") as wheel:
        wheel.writestr("preimage/a.py", "")
    found = load("check_dist").missing(tmp_path / "preimage.whl", tmp_path / "src")
    assert found == ["preimage/templates/b.html"]
