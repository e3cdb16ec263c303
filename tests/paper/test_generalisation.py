"""Figure 3b: its numbers are recomputed from the table that it writes."""

import numpy as np
import pytest
from trained_figures import Workplace, parts, welch


def test_figure_3b(workplace: Workplace) -> None:
    findings, rows = workplace.run("fig3b")

    def psnr(encoder: str, method: str, photos: str) -> np.ndarray:
        """(networks, photos)."""
        values = [
            float(row["psnr"])
            for row in rows
            if (row["encoder"], row["method"], row["photos"]) == (encoder, method, photos)
        ]
        return np.array(values).reshape(-1, 3)

    training, held_out = (
        psnr("AlexNet random", "trained DCN", photos) for photos in ("training", "held-out")
    )
    alexnet = findings["fig3b_alexnet"].numbers
    assert parts(alexnet["gap"]) == pytest.approx(welch(held_out.mean(0), training.mean(0)))
    assert parts(alexnet["held_out"])[0] == pytest.approx(held_out.mean())
    random, trained = (
        psnr(f"VGG16 {kind}", "trained DCN", "held-out").mean(1)
        for kind in ("random", "trained here")
    )
    little = findings["fig3b_random"].numbers
    assert parts(little["gap"]) == pytest.approx(welch(random, trained))
    assert little["photos"] == 3
