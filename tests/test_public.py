import ast
from pathlib import Path

import preimage


def test_every_public_name_is_there_and_documented() -> None:
    for name in preimage.__all__:
        value = getattr(preimage, name)
        if callable(value):
            assert value.__doc__, name


def test_the_stub_lists_what_it_imports() -> None:
    stub = Path(preimage.__file__).with_suffix(".pyi").read_text()
    imported = {
        alias.name
        for node in ast.walk(ast.parse(stub))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(preimage.__all__)
