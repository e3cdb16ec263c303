"""Small picture files of many kinds, whole and damaged, alone and in archives."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, width: int = 9, height: int = 7, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(values, "RGBA" if mode == "RGBA" else None).convert(mode)


def encoded(seed: int = 0, kind: str = "PNG", **how: object) -> bytes:
    stream = io.BytesIO()
    picture(seed, **how).save(stream, kind)  # type: ignore[arg-type]
    return stream.getvalue()


FILES = {
    "été/a.png": encoded(0),
    "été/b.png": encoded(1, mode="L"),
    "猫/below/c.png": encoded(2, mode="RGBA"),
    "猫/d.JPG": encoded(3, "JPEG"),
    "猫/one.png": encoded(4, width=1, height=1),
}
BAD = {
    "été/broken.jpg": encoded(5, "JPEG", width=90, height=80)[:-600],
    "猫/text.jpg": b"this is no image\n",
    "猫/empty.png": b"",
}


def make_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
