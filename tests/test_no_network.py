"""Nothing connects to anything unless an option asks for it."""

import subprocess
import sys
from pathlib import Path

from photo_files import picture

SCRIPT = """
import pkgutil, sys
from importlib import import_module

def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "urllib.Request"):
        asked.append((event, str(arguments)))

asked = []
sys.addaudithook(hook)
import preimage
for module in pkgutil.walk_packages(preimage.__path__, "preimage."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
from preimage.app.cli.main import main
small = ["--layer", "conv1", "--width", "4", "--size", "16"]
for words in (
    ["reconstruct", "photos/0.png", *small, "--out", "pair"],
    ["fit", "--data", "photos", *small, "--window", "1", "--out", "d.safetensors"],
    ["evaluate", "--decoder", "d.safetensors", "--data", "photos", "--held-out", "others"],
    ["limit", "photos/0.png", *small, "--networks", "2"],
    ["layers", "m.py:make", "--size", "16"],
    ["probe", "--model", "m.py:make", "--raw", "--size", "16", "--data", "photos", "--twins", "1"],
    ["reproduce", "table1", "--out", "table"],
):
    code = main(words)
    assert code == 0, (words, code)
assert not asked, asked
"""


def test_no_verb_and_no_import_connects(tmp_path: Path) -> None:
    for seed in range(12):
        path = tmp_path / ("photos" if seed < 8 else "others") / f"{seed}.png"
        path.parent.mkdir(exist_ok=True)
        picture(seed, 18, 20).save(path)
    model = (
        "import torch\ndef make():\n    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4, 4))\n"
    )
    (tmp_path / "m.py").write_text(model)
    words = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
