"""Holds the sizes that keep the code readable, and that no two modules import each other.

    python tools/check_structure.py        exit code 1 and one line per fault

Import circles are looked for between single modules, deferred imports and imports for type
checkers included; import-linter's contract (pyproject.toml) sees circles between packages only.
"""

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
MOST_LINES = 300
MEDIAN_LINES = 130
MOST_BODY_LINES = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def faults(root: Path = ROOT) -> list[str]:
    """One line per fault, of the sources first."""
    source = sorted((root / "src").rglob("*.py"))
    folders = [root / name for name in ("tests", "tools", "benchmarks")]
    others = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return [
        *too_long(root, [*source, *others]),
        *too_long_in_the_middle(source),
        *long_functions(root, source),
        *circles(imports("preimage")),
    ]


def too_long(root: Path, files: list[Path]) -> Iterator[str]:
    for file in files:
        if (lines := count_lines(file)) > MOST_LINES:
            yield f"{file.relative_to(root)}: {lines} lines, at most {MOST_LINES}"


def too_long_in_the_middle(files: list[Path]) -> Iterator[str]:
    """The median over the modules that hold code; an `__init__` of a line would flatter it."""
    lengths = [lines for file in files if (lines := count_lines(file)) > 5]
    if (median := statistics.median(lengths)) > MEDIAN_LINES:
        yield f"src: the median module has {median:g} lines, at most {MEDIAN_LINES}"


def long_functions(root: Path, files: list[Path]) -> Iterator[str]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, Function) and (lines := body_lines(node)) > MOST_BODY_LINES:
                where = f"{file.relative_to(root)}:{node.lineno}"
                yield f"{where}: `{node.name}` has {lines} lines, at most {MOST_BODY_LINES}"


def count_lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def body_lines(function: Function) -> int:
    """Lines from the first statement behind the docstring to the last, blank ones included."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imports(package: str) -> dict[str, set[str]]:
    """Which module of the package imports which."""
    graph = grimp.build_graph(package, cache_dir=None)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def circles(imported: dict[str, set[str]]) -> Iterator[str]:
    """One circle per module that takes part in one, each by its shortest way round."""
    seen: set[str] = set()
    for start in sorted(imported):
        if start not in seen and (way := shortest_circle(imported, start)):
            seen.update(way)
            yield "import circle: " + " → ".join([*way, start])


def shortest_circle(imported: dict[str, set[str]], start: str) -> list[str] | None:
    ways = [[start]]
    reached: set[str] = set()
    for way in ways:  # grows while it is read: breadth first
        for module in sorted(imported.get(way[-1], ())):
            if module == start:
                return way
            if module not in reached:
                reached.add(module)
                ways.append([*way, module])
    return None


if __name__ == "__main__":
    found = faults()
    print("\n".join(found) or "structure: no faults")
    sys.exit(bool(found))
