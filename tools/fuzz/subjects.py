"""What is spoilt, which verb reads it, and what an honest answer looks like."""

import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file

from fuzz.mutations import spoil_bytes, spoil_checkpoint, spoil_text

#: Folder → None, or what is dishonest about exit code 0.
Honest = Callable[[Path], str | None]
#: Spoils a file.
Spoil = Callable[[Path, Random], None]


@dataclass(frozen=True)
class Subject:
    """A folder of whole files, some of which are spoilt, and a command that reads them.

    Args:
        name: for the table.
        share: of all cases.
        files: those that may be spoilt, relative to the folder.
        command: the words of the command line, run inside a copy of the folder.
        honest: what must hold when the command says that all went well.
        spoil: how, besides as bytes.
    """

    name: str
    share: float
    files: tuple[str, ...]
    command: tuple[str, ...]
    honest: Honest
    spoil: Spoil | None = None

    def spoil_one(self, folder: Path, generator: Random) -> str:
        """Spoils a file of a copied folder; returns its name."""
        name = generator.choice(self.files)
        path = folder / name
        if self.spoil is not None and generator.random() < 0.5:
            self.spoil(path, generator)
        else:
            others = [(folder / other).read_bytes() for other in self.files]
            path.write_bytes(spoil_bytes(path.read_bytes(), generator, others))
        return name


def every_photo_accounted(given: int) -> Honest:
    """As many records as photos were given, less those that are named as skipped."""

    def honest(folder: Path) -> str | None:
        records = (folder / "out" / "records.jsonl").read_text().splitlines()
        return None if len(records) == given else f"{len(records)} of {given} photos"

    return honest


def every_member_accounted(archive: str) -> Honest:
    """Photos and skipped ones together are what the archive itself lists."""

    def honest(folder: Path) -> str | None:
        card = json.loads((folder / "d.json").read_text())
        photos, skipped = card["training"]["photos"], len(card["training"]["skipped"])
        listed = len(_members(folder / archive))
        return None if photos + skipped >= listed else f"{photos} + {skipped} of {listed} photos"

    return honest


def _members(path: Path) -> set[str]:
    """Of an archive, by the standard library; of a folder, its files."""
    if path.is_dir():
        return {str(file) for file in path.rglob("*.png")}
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as file:
                names = file.namelist()
        else:
            with tarfile.open(path) as tar:
                names = [member.name for member in tar if member.isfile()]
    except Exception:  # what the archive's own library can't list, nobody can count
        return set()
    return {name for name in names if name.lower().endswith(".png") and "\0" not in name}


def same(whole: Path, *results: str) -> Honest:
    """The files that the unbroken command wrote to the folder `whole`, byte by byte."""

    def honest(folder: Path) -> str | None:
        for result in results:
            if (folder / result).read_bytes() != (whole / result).read_bytes():
                return f"another {result}"
        return None

    return honest


def same_tensors(whole: Path, result: str) -> Honest:
    """The tensors of the checkpoint that the unbroken command wrote, bit by bit."""

    def honest(folder: Path) -> str | None:
        found, expected = (load_file(there / result) for there in (folder, whole))
        equal = found.keys() == expected.keys() and all(
            torch.equal(found[name], expected[name]) for name in expected
        )
        return None if equal else f"another {result}"

    return honest


def anything(folder: Path) -> str | None:
    """Exit code 0 promises nothing that could be checked."""
    return None


def text_file(path: Path, generator: Random) -> None:
    """Spoils JSON, or the lines of JSON lines, as plain data; another file as bytes."""
    if path.suffix not in (".json", ".jsonl"):
        path.write_bytes(spoil_bytes(path.read_bytes(), generator, [b"\0" * 64]))
        return
    text = path.read_text()
    if path.suffix != ".jsonl":
        path.write_text(spoil_text(text, generator), "utf-8", "surrogatepass")
        return
    lines = text.splitlines()
    at = generator.randrange(len(lines))
    lines[at] = spoil_text(lines[at], generator)
    path.write_text("\n".join(lines) + "\n")


def yaml_file(path: Path, generator: Random) -> None:
    import yaml

    text = json.dumps(yaml.safe_load(path.read_text()))
    path.write_text(spoil_text(text, generator))  # JSON is YAML


def crafted(kind: str) -> Spoil:
    """Checkpoints of a kind with a wrong card or wrong tensors, and a SHA-256 that is right."""
    return lambda path, generator: spoil_checkpoint(path, kind, generator)
