"""What the caller says beside the text, as evidence that outweighs a guess."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .normal import Context
from .places import FAR, MID, NEAR, SAME, Gazetteer

# Log-odds against answers that contradict the caller. Strong, yet a text can still overrule:
# a line of a list of contracts may be a purchase of goods all the same.
_AGAINST = 6.0
_LACKING = 4.0
_LOCATIONS = ("same-country", "another-country", "nearby-country", "distant-country")
_FITTING = {
    SAME: {"same-country"},
    NEAR: {"another-country", "nearby-country"},
    MID: {"another-country"},
    FAR: {"another-country", "distant-country"},
}
# Reasons for silence that a list of contracts with outside vendors rules out.
_NOT_A_CONTRACT = ("in-house", "denied", "discussed", "definition-only")


def given_facts(context: Context, gazetteer: Gazetteer) -> dict[str, tuple[str, ...]]:
    """The facts that the caller states, each with the names of what states it."""
    found: dict[str, tuple[str, ...]] = {}
    if context.vendor_contract:
        found["third-party"] = ("vendor_contract",)
    if context.home and context.provider_country:
        fitting = _FITTING[gazetteer.relation(context.home, context.provider_country)]
        found |= dict.fromkeys(sorted(fitting), ("home", "provider_country"))
    return found


class ContextWeights:
    """Weighs a caller's context against configurations; what does not depend on the text is made once."""

    def __init__(self, model: Model, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        at = {f: i for i, f in enumerate(model.fact_ids)}
        column = {f: model.facts[:, at[f]] > 0 for f in (*_LOCATIONS, "third-party", "own-unit") if f in at}
        nothing = np.zeros(len(model.configurations), dtype=bool)
        self._location = {f: column.get(f, nothing) for f in _LOCATIONS}
        third = column.get("third-party", nothing)
        self._arranged = third | column.get("own-unit", nothing)
        self._vendor = np.zeros(len(model.configurations), dtype=np.float32)
        silent = [i for i, s in enumerate(model.silence_ids) if s in _NOT_A_CONTRACT]
        self._vendor += _AGAINST * (model.silences[:, silent].sum(axis=1) > 0)
        self._vendor += _AGAINST * (~third & (model.silences.sum(axis=1) == 0))

    def adjust(self, logits: NDArray[np.float64], context: Context) -> NDArray[np.float64]:
        """Log-scores of the configurations, array (texts, configurations), with the caller's word weighed in."""
        if context.vendor_contract:
            logits = logits - self._vendor
        if context.home and context.provider_country:
            fitting = _FITTING[self._gazetteer.relation(context.home, context.provider_country)]
            place = np.zeros(logits.shape[1])
            for fact, holds in self._location.items():
                place += _AGAINST * (holds & (fact not in fitting))
                place += _LACKING * (~holds & (fact in fitting))
            # Where a provider would sit says nothing on whether there is one: the weight of all
            # arrangements together stays, and moves among them.
            inside = self._arranged
            if not inside.any():
                return logits
            before = logits.compress(inside, axis=1)
            moved = before - place[inside]
            logits = logits.copy()
            logits[:, inside] = moved + _log_sum(before) - _log_sum(moved)
        return logits


def _log_sum(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the sum of exponentials of each row, array (texts, 1)."""
    top = logits.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)))
