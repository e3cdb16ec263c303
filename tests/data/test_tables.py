import pytest

from preimage.data.tables import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (12.3, "12 s"), (100.0, "2 min"), (7000.0, "2 h"), (13e6, "3,611 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
