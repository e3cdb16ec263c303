from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.radial_gradient("L").resize((40, 40)).convert("RGB").save(path)
    return str(path)
