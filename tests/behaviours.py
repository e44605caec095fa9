"""Behaviours in the manner of CheckList: a change of a plain text, and what must come of the tags.

The texts and cases are data, in ``behaviour.toml``; here are the changes. A case of a behaviour that expects ``same``
has the same tags before and after. One that expects ``moves`` loses and gains exactly the tags it names (``lose = "all"``
for every one) and keeps the others. Tags that a text ``may`` have, on which careful readers differ, count neither way.
A case marked ``known`` is one that the present model gets wrong; ``scripts/mark_cases`` sets the marks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier import Classifier

PATH = Path(__file__).with_name("behaviour.toml")

# British to American, for whole words in lower case.
SPELLINGS = {
    "analyses": "analyzes", "catalogue": "catalog", "centre": "center", "cheques": "checks", "colour": "color",
    "fulfils": "fulfills", "grey": "gray", "jewellery": "jewelry", "labour": "labor",
    "licences": "licenses", "organises": "organizes", "organisation": "organization", "programme": "program",
    "specialised": "specialized", "theatre": "theater", "travellers": "travelers", "tyres": "tires",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the classifier is told."""

    text: str
    home: str | None = None
    may: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One case: the text before and after the change, and what is expected of the tags."""

    behaviour: str
    number: int
    before: Told
    after: Told
    expect: str
    lose: frozenset[str] | None  # None for every tag
    gain: frozenset[str]
    may: frozenset[str]
    silent: bool
    known: bool

    @property
    def id(self) -> str:
        return f"{self.behaviour}-{self.number}"

    def problem(self, classifier: Classifier) -> str:
        """What is wrong with the answers; empty when they are as they must be."""
        before, after = (frozenset(classifier.tag(t.text, home=t.home).ids) for t in (self.before, self.after))
        if bool(before) == self.silent:
            return f"before the change: {_told(before)}"
        if self.lose is None:
            return "" if not after else f"left: {_told(after)}"
        may = self.may - self.lose - self.gain
        before, after = before - may, after - may
        if not self.lose <= before or self.gain & before:
            return f"cannot move as it must, for before the change it is {_told(before)}"
        wanted = (before - self.lose) | self.gain
        return " ".join([*(f"+{t}" for t in sorted(after - wanted)), *(f"-{t}" for t in sorted(wanted - after))])


def _told(tags: frozenset[str]) -> str:
    return " ".join(sorted(tags)) or "no term"


# ---------------------------------------------------------------- the changes


def _swap(told: Told, case: Mapping[str, Any]) -> Told:
    """Words replaced by others; each must be there."""
    text = told.text
    for old, new in case["swap"].items():
        if old not in text:
            raise ValueError(f"{old!r} is not in {text!r}")
        text = text.replace(old, new)
    return replace(told, text=text + case.get("then", ""))


def _typo(told: Told, case: Mapping[str, Any]) -> Told:
    """A slip of the keyboard in one word: letters that changed places, a lost one, or one typed twice."""
    word = case["word"]
    middle = len(word) // 2
    slip = {
        "turned": word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :],
        "lost": word[:middle] + word[middle + 1 :],
        "twice": word[:middle] + word[middle] + word[middle:],
    }[case["slip"]]
    return _swap(told, {"swap": {word: slip}})


def _capitals(told: Told, case: Mapping[str, Any]) -> Told:
    change: Callable[[str], str] = {"upper": str.upper, "lower": str.lower, "title": str.title}[case["capitals"]]
    return replace(told, text=change(told.text))


def _american(told: Told, case: Mapping[str, Any]) -> Told:
    """British spelling to American."""
    text = re.sub(r"[a-z]+", lambda m: SPELLINGS.get(m[0], m[0]), told.text)
    if text == told.text:
        raise ValueError(f"no spelling differs in {text!r}")
    return replace(told, text=text)


def _around(told: Told, case: Mapping[str, Any]) -> Told:
    """A sentence more, in front or behind."""
    return replace(told, text=" ".join([*case.get("first", ()), told.text, *case.get("last", ())]))


def _instead(told: Told, case: Mapping[str, Any]) -> Told:
    """The same said in other words."""
    return replace(told, text=case["instead"])


def _home(told: Told, case: Mapping[str, Any]) -> Told:
    """Another country of the client, given by the caller."""
    return replace(told, home=case["home"])


CHANGES: dict[str, Callable[[Told, Mapping[str, Any]], Told]] = {
    "swap": _swap,
    "typo": _typo,
    "capitals": _capitals,
    "american": _american,
    "around": _around,
    "instead": _instead,
    "home": _home,
}


# ---------------------------------------------------------------- the cases


def cases() -> Iterator[Case]:
    """Every case of the file, in its order."""
    data = tomllib.loads(PATH.read_text(encoding="utf-8"))
    texts = {
        name: Told(given["text"], given.get("home"), tuple(given.get("may", ())))
        for name, given in data["texts"].items()
    }
    for behaviour in data["behaviour"]:
        for number, case in enumerate(behaviour["cases"]):
            yield _case(behaviour, number, case, texts)


def _case(behaviour: Mapping[str, Any], number: int, case: Mapping[str, Any], texts: Mapping[str, Told]) -> Case:
    before = texts[case["on"]] if "on" in case else Told(case["text"])
    after = CHANGES[behaviour["change"]](before, case)
    if after == before:
        raise ValueError(f"{behaviour['id']} {number} changes nothing")
    lose = case.get("lose", [])
    return Case(
        behaviour["id"],
        number,
        before,
        after,
        behaviour["expect"],
        None if lose == "all" else frozenset(lose),
        frozenset(case.get("gain", [])),
        frozenset([*before.may, *case.get("may", [])]),
        case.get("silent", False),
        case.get("known", False),
    )


def marked(classifier: Classifier) -> tuple[str, int, int]:
    """The file with its marks set anew for ``classifier``, how many there are, and of how many cases."""
    wrong = [bool(case.problem(classifier)) for case in cases()]
    todo = iter(wrong)
    lines = []
    inside = False
    for line in PATH.read_text(encoding="utf-8").splitlines():
        inside = line.startswith("cases = [") or (inside and line != "]")
        if inside and line.strip().startswith("{"):
            line = line.replace(", known = true }", " }")
            if next(todo):
                line = re.sub(r" \}(,?)$", r", known = true }\1", line)
        lines.append(line)
    return "\n".join(lines) + "\n", sum(wrong), len(wrong)
