"""Photos for decoders that learn, and files that the version before option sets wrote."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

#: Written by the commit before decoders took option sets: `photos` (three each of two classes, 10×9
#: pixels); `stopped`, a run after 3 of 6 steps; `whole`, the same run at its end; `classifier`;
#: `fitted.safetensors`, of least squares. Conv1 of width 2.
BEFORE = Path(__file__).parent / "before_option_sets"


@pytest.fixture
def before() -> Path:
    return BEFORE


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of ten smooth photos, 24×21 pixels."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for name in ("cold", "warm"):
        (folder / name).mkdir()
        for index in range(10):
            small = generator.integers(0, 160, (4, 4, 3)).astype(np.uint8)
            small[..., 2 if name == "cold" else 0] += 90
            image = Image.fromarray(small).resize((21, 24), Image.Resampling.BICUBIC)
            image.save(folder / name / f"{index}.png")
    return folder
