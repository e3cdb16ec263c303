import pytest

from preimage.paper.options import FigureOptions


def test_networks_of_the_scale_or_as_asked_for() -> None:
    of_scale = {"quick": 5, "paper": 30}
    assert FigureOptions(figure="fig7").num_networks(of_scale) == 5
    assert FigureOptions(figure="fig7", scale="paper").num_networks(of_scale) == 30
    assert FigureOptions(figure="fig7", networks=2).num_networks(of_scale) == 2
    with pytest.raises(ValueError, match=r"`networks` must be at least 2 .*, got 1"):
        FigureOptions(figure="fig7", networks=1).num_networks(of_scale)


def test_what_does_not_fit_is_refused(no_hint_checks: None) -> None:
    for delta in (0.0, 1.0, 3.0):
        with pytest.raises(ValueError, match="`delta` must be a number above 0, below 1"):
            FigureOptions(figure="theory", delta=delta)
    with pytest.raises(ValueError, match="`scale` must be one of quick, paper, got 'large'"):
        FigureOptions(figure="fig7", scale="large")  # type: ignore[arg-type]
