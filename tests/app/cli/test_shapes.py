import pytest
from command import run


def test_shapes_prints_table_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shapes", "vgg16", "--size", "227") == 0
    lines = capsys.readouterr().out.splitlines()
    cells = [line.split()[:4] for line in (lines[0], *lines[2:])]
    assert cells == [
        ["Layer", "Channels", "Shape", "Dimension"],
        ["Data", "3", "227×227", "154,587"],
        ["Conv1", "64", "227×227", "3,297,856"],
        ["Conv2", "128", "114×114", "1,663,488"],
        ["Conv3", "256", "57×57", "831,744"],
        ["Conv4", "512", "29×29", "430,592"],
        ["Conv5", "512", "15×15", "115,200"],
    ]


def test_size_and_width_change_the_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shapes", "alexnet", "--size", "227x300", "--width-factor", "0.5") == 0
    rows = [line.split()[:3] for line in capsys.readouterr().out.splitlines()]
    assert ["Conv1", "48", "55×73"] in rows
