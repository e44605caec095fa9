from __future__ import annotations

import numpy as np
import pytest

from classifier.training.adam import Adam, rate_at


def test_the_rate_rises_and_falls() -> None:
    assert rate_at(0.01) < rate_at(0.1) > rate_at(0.5) > rate_at(0.99) > 0


def test_it_finds_the_lowest_point() -> None:
    wanted = np.array([1.0, -2.0], np.float32)
    parameters = {"x": np.zeros(2, np.float32)}
    optimiser = Adam(parameters)
    for _ in range(800):
        optimiser.step({"x": parameters["x"] - wanted}, 0.01)
    assert parameters["x"] == pytest.approx(wanted, abs=0.05)


def test_a_steep_slope_moves_no_further_than_a_gentle_one_of_the_same_direction() -> None:
    moved = []
    for size in (10.0, 1e6):
        parameters = {"x": np.zeros(3, np.float32)}
        Adam(parameters).step({"x": np.full(3, size, np.float32)}, 0.01)
        moved.append(parameters["x"])
    assert moved[0] == pytest.approx(moved[1], rel=1e-3)
