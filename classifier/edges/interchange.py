"""Tagged rows to labelling tools and back: Label Studio and Prodigy.

Out: one task a different text, with the tags filled in and the evidence as spans (Python string offsets, which is how
both tools count). The context of the row (home country and so on) and the terms before travel along.

Back: one correction a text. What counts as an answer is in the module of each tool.

- Of several answers on one text a ``ground_truth`` counts before all others, else the last by its time; that they
  differ is counted.
- A choice that is no term makes a problem, and the others go on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import InputError, ScenarioError
from ..training.corrections import Correction, Key, parse_correction
from ..vocabulary import Vocabulary
from . import label_studio, prodigy
from .files import replacing
from .loose_json import words_of
from .review import NONE, Context, ToReview, check_known, known_tags, named_terms
from .tagged_rows import Row, text_of

LABEL_STUDIO, PRODIGY = "label-studio", "prodigy"
_MODULES: Mapping[str, ModuleType] = {LABEL_STUDIO: label_studio, PRODIGY: prodigy}
TOOLS = tuple(_MODULES)


@dataclass(slots=True)
class Imported:
    """What came back.

    Attributes:
        corrections: one for each text in its context.
        left_out: why and how often an answer was left out.
        differing: texts on which several answers differ.
        problems: what could not be used, by task.
    """

    corrections: list[Correction] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    problems: list[str] = field(default_factory=list)


def tasks(
    rows: Iterable[Row], columns: Sequence[str], context: Context, vocabulary: Vocabulary, tool: str
) -> Iterator[dict[str, Any]]:
    """A task for each different text that is not blank, for ``tool``.

    Raises:
        InputError: for a term that the vocabulary lacks.
    """
    seen: set[Key] = set()
    for number, row in enumerate(rows, start=1):
        tags = known_tags(row, number, vocabulary)
        found = ToReview(number, text_of(row, columns), tags, context.of(row))
        if not found.text.strip() or found.key in seen:
            continue
        seen.add(found.key)
        yield _MODULES[tool].task_of(found, vocabulary)


def write_tasks(found: Iterable[dict[str, Any]], path: Path, tool: str) -> int:
    """Write tasks, a JSON array for Label Studio and JSON lines for Prodigy; how many there were.

    ``path`` gets them at the end: where reading the table fails halfway, an earlier file stays as it was.
    """
    count = 0
    try:
        with replacing(path, "backslashreplace") as out:
            for count, task in enumerate(found, start=1):
                line = json.dumps(task, ensure_ascii=False)
                out.write(line + "\n" if tool == PRODIGY else ("[\n" if count == 1 else ",\n") + line)
            if tool == LABEL_STUDIO:
                out.write("\n]\n" if count else "[]\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{error.filename or path}: {error.strerror}") from error
    return count


def read_answers(path: Path, tool: str, vocabulary: Vocabulary) -> Imported:
    """The answers in a file that ``tool`` exported.

    Raises:
        InputError: when it is no such file.
    """
    outcome = Imported()
    ranked: dict[Key, tuple[tuple[bool, str], Correction]] = {}
    differing: set[Key] = set()
    for name, task in _tasks_of(path):
        data, answers = _MODULES[tool].answers_in(task, outcome.left_out)
        for answer in answers:
            try:
                terms, silence = named_terms(answer.choices or [NONE], vocabulary)
                check_known(words_of(data.get("before")), "what was there before", vocabulary)
                correction = parse_correction(
                    {
                        "text": data.get("text"),
                        "terms": list(terms),
                        "silence": silence,
                        "before": data.get("before"),
                        "home": data.get("home"),
                        "provider_country": data.get("provider_country"),
                        "vendor_contract": data.get("vendor_contract", False),
                        "by": answer.by,
                        "at": answer.time,
                        "evidence": [{"start": a, "end": b} for a, b in answer.spans],
                    },
                    vocabulary,
                    name,
                )
            except InputError as error:
                outcome.problems.append(f"{name}: {error}")
                continue
            except ScenarioError as error:
                outcome.problems.append(str(error))
                continue
            rank = (answer.truth, answer.time)
            held = ranked.get(correction.key)
            if held and (held[1].terms, held[1].silence) != (correction.terms, correction.silence):
                differing.add(correction.key)
            if held is None or rank >= held[0]:
                ranked[correction.key] = (rank, correction)
    outcome.corrections = [correction for _, correction in ranked.values()]
    outcome.differing = len(differing)
    return outcome


def _tasks_of(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a JSON array or of JSON lines, each with a name for messages."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.lstrip().startswith("["):
            found = list(enumerate(json.loads(text), start=1))
        else:
            found = [(n, json.loads(line)) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Give a file that the labelling tool exported.") from error
    except (ValueError, RecursionError) as error:  # JSON and UTF-8 alike
        raise InputError(f"{path} is neither JSON nor JSON lines: {error}") from error
    for number, task in found:
        if not isinstance(task, dict):
            raise InputError(f"{path}: entry {number} is not an object: give what the labelling tool exported")
        yield f"{path.name}:{number}", task
