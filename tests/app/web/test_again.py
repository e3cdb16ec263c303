"""What the page says to run gives the very picture that it shows."""

import io
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import run
from photo_files import encoded
from PIL import Image
from starlette.testclient import TestClient

CASES = (
    (None, "layer=conv1&width=3&size=31&seed=4&unpool=nearest"),
    (
        "-my cat's.png",
        "architecture=alexnet&layer=conv2&width=2&size=67&head=mean&kernel_size=&weights=laplace:0.2",
    ),
    (
        "a.b.png",
        "layer=conv2&width=3&size=29&pool=avg&slope=0.2&simplified=resized&input=mean-subtracted",
    ),
)


def pictures(folder: Path) -> dict[str, Any]:
    return {path.name: np.asarray(Image.open(path)) for path in folder.glob("**/*.png")}


@pytest.mark.parametrize(("file", "query"), CASES)
def test_python_and_command_give_the_picture(
    client: TestClient,
    query: str,
    file: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("preimage.app.cli.reconstruct.save_figure", lambda figure, path: path)
    monkeypatch.setattr("preimage.app.cli.reconstruct.reconstruction_sheet", lambda *_: None)
    photo, stem = "coffee", "coffee"
    if file is not None:
        data = encoded(7, width=53, height=47)
        Path(file).write_bytes(data)
        answer = client.post("/api/photos", params={"name": file}, content=data)
        photo, stem = answer.json()["id"], file.removesuffix(".png")
    query = f"photo={photo}&{query}"
    shown = np.asarray(Image.open(io.BytesIO(client.get(f"/picture.png?{query}").content)))
    answer = client.get(f"/api/picture?{query}").json()
    exec(compile(answer["python"], "page", "exec"), {})
    assert (pictures(tmp_path)[f"{stem}_grey.png"] == shown).all()
    (tmp_path / f"{stem}_grey.png").unlink()
    program, *words = shlex.split(answer["command"])
    assert program == "preimage"
    assert run(*words, "--device", "cpu") == 0
    made = pictures(tmp_path / "preimage-out")
    found = [p for name, p in made.items() if name.endswith("_grey.png")]
    assert any(p.shape == shown.shape and (p == shown).all() for p in found), list(made)


def test_a_decoder_too(
    make_client: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("preimage.app.cli.decode.save_figure", lambda figure, path: path)
    monkeypatch.setattr("preimage.app.cli.decode.decoded_sheet", lambda *_: None)
    for seed in range(6):
        Path(f"{seed}.png").write_bytes(encoded(seed, width=20, height=18))
    words = ["--layer", "conv1", "--width", "3", "--size", "16", "--window", "1"]
    assert run("fit", "--data", "*.png", *words, "--out", "d.safetensors") == 0
    client, data = make_client(), Path("d.safetensors").read_bytes()
    decoder = client.post("/api/decoders?name=d.safetensors", content=data).json()["id"]
    query = f"photo=rocket&decoder={decoder}&size=32"
    shown = np.asarray(Image.open(io.BytesIO(client.get(f"/picture.png?{query}").content)))
    answer = client.get(f"/api/picture?{query}").json()
    assert answer["scores"]["PSNR"].endswith(" dB")
    exec(compile(answer["python"], "page", "exec"), {})
    assert (np.asarray(Image.open("rocket_decoded.png")) == shown).all()
    assert run(*shlex.split(answer["command"])[1:]) == 0
    assert (np.asarray(Image.open("preimage-decoded/rocket_decoded.png")) == shown).all()
    assert "no limit" in client.get(f"/api/limit?{query}").json()["none"]
    record = client.get(f"/record.json?{query}").json()
    assert record["encoder"]["origin"]["law"] == "gaussian:fan-in"
