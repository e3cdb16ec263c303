"""Options of the costly rungs are checked where they enter."""

import pytest

from preimage.probing.climb import costly
from preimage.probing.rungs import DcnOptions, InversionOptions


@pytest.mark.usefixtures("no_hint_checks")
def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="`steps` must be at least 1, got 0"):
        DcnOptions(steps=0)
    with pytest.raises(ValueError, match="`views` must be at least 1, got 0"):
        DcnOptions(views=0)
    with pytest.raises(ValueError, match="`start` must be linear or grey, got 'white'"):
        InversionOptions(start="white")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`photos` must be at least 2, got 1"):
        InversionOptions(photos=1)
    with pytest.raises(ValueError, match="`total_variation` must be at least 0, got -1"):
        InversionOptions(total_variation=-1)


@pytest.mark.usefixtures("no_hint_checks")
def test_rungs_are_named() -> None:
    assert costly(["linear"], None, None) == {}
    chosen = costly(["linear", "inversion"], None, InversionOptions(steps=7))
    assert chosen == {"inversion": InversionOptions(steps=7)}
    with pytest.raises(ValueError, match=r"`rungs` must name linear .* got linear, cnn"):
        costly(["linear", "cnn"], None, None)
    with pytest.raises(ValueError, match="`rungs` must name linear"):
        costly(["dcn"], None, None)
