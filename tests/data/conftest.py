from pathlib import Path

import pytest
from photo_files import FILES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in {**FILES, "notes.txt": b"not a photo"}.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "photos"
