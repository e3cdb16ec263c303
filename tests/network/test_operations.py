import pytest

from preimage.network.architectures import vgg16
from preimage.network.description import Description
from preimage.network.operations import Normalise, Pool, Unpool
from preimage.network.spec import ReconstructConfig


@pytest.mark.usefixtures("no_hint_checks")
def test_kinds_are_checked() -> None:
    with pytest.raises(ValueError, match="`kind` must be one of zeros, nearest, bilinear, got 'x'"):
        vgg16().cut("conv1").mirror("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`kind` must be one of max, avg, l2, got 'x'"):
        vgg16().cut("conv1").with_pool("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`simplified` must be one of no, resized, direct"):
        ReconstructConfig(simplified="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`kind` must be one of max, avg, l2, got 'median'"):
        Pool("pool1", "median")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`kind` must be one of zeros, .*, got 'cubic'"):
        Unpool("unpool1", "cubic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`stride` must be a positive integer, got 0\.5"):
        Pool("pool1", stride=0.5)  # type: ignore[arg-type]


def test_normalisations_are_checked() -> None:
    with pytest.raises(ValueError, match=r"one value per channel, got 1 and 2"):
        Normalise("n", (0.0,), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"`std` must be finite numbers, none of them zero"):
        Normalise("n", (0.0, 0.0), (1.0, 0.0))
    with pytest.raises(ValueError, match=r"`mean` must be finite numbers, got \(inf,\)"):
        Normalise("n", (float("inf"),), (1.0,))
    with pytest.raises(ValueError, match=r"normalise is for 1 channels, but takes 3"):
        vgg16().with_input((0.0,), (1.0,))


@pytest.mark.usefixtures("no_hint_checks")  # beartype looks at one entry of a tuple, at random
def test_normalisations_of_something_else() -> None:
    data = vgg16().cut("conv1").with_input((0.0,) * 3, (1.0,) * 3).to_dict()
    data["operations"][0]["std"] = [1.0, None, 1.0]
    with pytest.raises(
        ValueError, match=r"operations\[0\]\.std\[1\] must be a finite number, got None"
    ):
        Description.from_dict(data)
