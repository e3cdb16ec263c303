"""What `weights` means: laws, words and files told apart."""

from pathlib import Path

import pytest

from preimage.network.weights import no_such_file, weights_kind


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("gaussian:fan-in", "law"),
        ("uniform:0.04", "law"),
        ("imagenet", "pretrained"),
        ("pretrained", "pretrained"),
        ("a.pth", "file"),
    ],
)
def test_three_kinds(weights: str, expected: str) -> None:
    assert weights_kind(weights) == expected


def test_a_file_named_like_a_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gaussian:0.1").touch()
    assert weights_kind("gaussian:0.1") == "file"


def test_a_law_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="one of gaussian, uniform, logistic, laplace, got 'nor"):
        weights_kind("normal:1")


def test_the_message_names_all_three() -> None:
    assert no_such_file("a.pth") == (
        "`weights`: a.pth: no such file; it takes a law such as gaussian:fan-in, imagenet or "
        "pretrained for weights that others trained, or a file."
    )
