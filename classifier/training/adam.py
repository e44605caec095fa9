"""Adam with decoupled weight decay, a bound on the gradient's length, and the learning rate over a training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 2e-3
WARM_UP = 0.1
WEIGHT_DECAY = 0.02
LARGEST_NORM = 1.0


def rate_at(progress: float) -> float:
    """The learning rate at a point of the training, 0 to 1: up, then down along a cosine."""
    if progress < WARM_UP:
        return RATE * (0.04 + 0.96 * progress / WARM_UP)
    return float(RATE * 0.5 * (1.0 + np.cos(np.pi * (progress - WARM_UP) / (1.0 - WARM_UP))))


class Adam:
    """Adam with decoupled weight decay and a bound on the gradient's length."""

    def __init__(self, parameters: Mapping[str, Floats]) -> None:
        self.parameters = parameters
        self.first = {n: np.zeros_like(v) for n, v in parameters.items()}
        self.second = {n: np.zeros_like(v) for n, v in parameters.items()}
        self.steps = 0

    def step(self, gradients: Mapping[str, Floats], rate: float) -> None:
        self.steps += 1
        length = float(np.sqrt(sum(float((g * g).sum(dtype=np.float64)) for g in gradients.values())))
        shrink = np.float32(min(1.0, LARGEST_NORM / (length + 1e-6)))
        one, two = 1.0 - 0.9**self.steps, 1.0 - 0.999**self.steps
        for name, value in self.parameters.items():
            g = gradients[name] * shrink
            first, second = self.first[name], self.second[name]
            first += np.float32(0.1) * (g - first)
            second += np.float32(0.001) * (g * g - second)
            value *= np.float32(1.0 - rate * WEIGHT_DECAY)
            value -= (np.float32(rate / one) * first) / (np.sqrt(second / np.float32(two)) + np.float32(1e-8))
