"""Tagged rows to labelling tools and back: Label Studio and Prodigy.

Out: one task a different text, with the tags filled in and the evidence as spans (Python string offsets, which is how
both tools count). The context of the row (home country and so on) and the terms before travel along.

Back: one correction a text.

- Skipped tasks (Label Studio ``was_cancelled``, Prodigy ``ignore``) and tasks without an answer are left out.
- A rejected answer (Prodigy ``reject``) says that the tags are wrong but not what is right: left out.
- Of several answers on one text a ``ground_truth`` counts before all others, else the last by its time; that they
  differ is counted.
- Prodigy's accepted answer with nothing chosen means that no term applies. In Label Studio an annotation without a
  choice is no answer: its form has ``none`` to choose.
- A choice that is no term makes a problem, and the others go on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from ..errors import InputError, ScenarioError
from ..training.corrections import Correction, Key, parse_correction
from ..vocabulary import Vocabulary
from .files import replacing
from .highlight import locate
from .review import NONE, Context, ToReview, check_known, known_tags, named_terms
from .tagged_rows import Row, text_of

LABEL_STUDIO, PRODIGY = "label-studio", "prodigy"
TOOLS = (LABEL_STUDIO, PRODIGY)
_EVIDENCE = "evidence"
_TERMS = "terms"


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


# ---------------------------------------------------------------- out


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
        yield (_label_studio_task if tool == LABEL_STUDIO else _prodigy_task)(found, vocabulary)


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


def _chosen(row: ToReview, vocabulary: Vocabulary) -> list[str]:
    """The choices that stand for a row's tags."""
    if row.tags.terms:
        return list(row.tags.terms)
    return [f"{NONE}:{row.tags.reason}" if row.tags.reason in vocabulary.silences else NONE]


def _context(row: ToReview) -> dict[str, Any]:
    """What comes back with the answer."""
    told = {k: v for k, v in row.context.items() if v}
    return {"row": row.number, "before": list(row.tags.terms), **told}


def _label_studio_task(row: ToReview, vocabulary: Vocabulary) -> dict[str, Any]:
    result: list[dict[str, Any]] = [
        {
            "id": _TERMS,
            "from_name": _TERMS,
            "to_name": "text",
            "type": "choices",
            "value": {"choices": _chosen(row, vocabulary)},
        }
    ]
    for n, (start, end) in enumerate(locate(row.text, row.tags.evidence), start=1):
        value = {"start": start, "end": end, "text": row.text[start:end], "labels": [_EVIDENCE]}
        result.append({"id": f"e{n}", "from_name": _EVIDENCE, "to_name": "text", "type": "labels", "value": value})
    prediction: dict[str, Any] = {"model_version": row.tags.model, "result": result}
    known = [p for p in row.tags.probabilities if p is not None]
    if known:
        # The tool sorts by it: the least certain tag first.
        prediction["score"] = min(known)
    return {"data": {"text": row.text, **_context(row)}, "predictions": [prediction]}


def _prodigy_task(row: ToReview, vocabulary: Vocabulary) -> dict[str, Any]:
    spans = [
        {"start": start, "end": end, "text": row.text[start:end], "label": _EVIDENCE.upper()}
        for start, end in locate(row.text, row.tags.evidence)
    ]
    return {
        "text": row.text,
        "spans": spans,
        "options": [{"id": name, "text": told} for name, told in _options(vocabulary)],
        "accept": _chosen(row, vocabulary),
        "meta": {"row": row.number, "model": row.tags.model},
        **_context(row),
    }


def _options(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """What can be chosen, with a word on each."""
    options = [(t.id, t.label) for t in vocabulary.terms.values()]
    options.append((NONE, "No term applies"))
    return options + [(f"{NONE}:{s}", f"No term: {says}") for s, says in vocabulary.silences.items()]


def label_studio_form(vocabulary: Vocabulary) -> str:
    """The labelling interface of a Label Studio project, in its XML."""
    says = {t.id: f"{t.label}: {t.definitions[0].says}" for t in vocabulary.terms.values()}
    choices = "\n".join(
        f'    <Choice value="{escape(name)}" hint="{escape(says.get(name, told))}"/>'
        for name, told in _options(vocabulary)
    )
    return (
        '<View>\n  <Text name="text" value="$text"/>\n'
        f'  <Labels name="{_EVIDENCE}" toName="text"><Label value="{_EVIDENCE}" background="#ffe066"/></Labels>\n'
        f'  <Choices name="{_TERMS}" toName="text" choice="multiple" required="true">\n{choices}\n  </Choices>\n'
        "</View>\n"
    )


# ---------------------------------------------------------------- back


@dataclass(frozen=True, slots=True)
class _Answer:
    """One annotator's answer: choices as written, spans, and what ranks it among others."""

    choices: Sequence[str]
    spans: Sequence[tuple[int, int]]
    truth: bool = False
    time: str = ""
    by: str | None = None


def read_answers(path: Path, tool: str, vocabulary: Vocabulary) -> Imported:
    """The answers in a file that ``tool`` exported.

    Raises:
        InputError: when it is no such file.
    """
    outcome = Imported()
    ranked: dict[Key, tuple[tuple[bool, str], Correction]] = {}
    differing: set[Key] = set()
    for name, task in _tasks_of(path):
        data, answers = (_label_studio_answers if tool == LABEL_STUDIO else _prodigy_answers)(task, outcome)
        for answer in answers:
            try:
                terms, silence = named_terms(answer.choices or [NONE], vocabulary)
                check_known(_words(data.get("before")), "what was there before", vocabulary)
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


def _label_studio_answers(task: Mapping[str, Any], outcome: Imported) -> tuple[Mapping[str, Any], list[_Answer]]:
    data = task.get("data")
    if not isinstance(data, dict):
        return task, _flat_answers(task, outcome)
    answers = []
    given = _objects(task.get("annotations") or task.get("completions"))
    if not given:
        outcome.left_out["not answered"] += 1
    for annotation in given:
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            outcome.left_out["skipped"] += 1
            continue
        choices, spans = _results(_objects(annotation.get("result")), str(data.get("text", "")))
        if not choices:
            outcome.left_out["not answered"] += 1
            continue
        who = annotation.get("completed_by")
        who = who.get("email") or who.get("id") if isinstance(who, dict) else who
        time = annotation.get("updated_at") or annotation.get("created_at") or ""
        by = str(who) if who not in (None, "") else None
        answers.append(_Answer(choices, spans, bool(annotation.get("ground_truth")), str(time), by))
    return data, answers


def _flat_answers(task: Mapping[str, Any], outcome: Imported) -> list[_Answer]:
    """The short export (JSON-MIN): one object an annotation, choices under the name of their control."""
    given = task.get(_TERMS)
    given = given.get("choices") if isinstance(given, dict) else given
    choices = [given] if isinstance(given, str) else _words(given)
    if not choices:
        outcome.left_out["not answered"] += 1
        return []
    spans = _spans(task.get(_EVIDENCE), str(task.get("text", "")))
    who = task.get("annotator")
    time = str(task.get("updated_at") or task.get("created_at") or "")
    return [_Answer(choices, spans, False, time, None if who is None else str(who))]


def _results(results: Sequence[Mapping[str, Any]], text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Choices and spans of an annotation."""
    named = [r for r in results if r.get("from_name") == _TERMS] or results
    choices: list[str] = []
    for result in named:
        value = _object(result.get("value"))
        choices += _words(value.get("choices"))
        # A taxonomy gives paths; the last step is the choice.
        paths = _list(value.get("taxonomy"))
        choices += _words([path[-1] if isinstance(path, list) and path else path for path in paths])
    spans = []
    for result in results:
        value = _object(result.get("value"))
        if result.get("type") == "labels" and isinstance(value.get("start"), int) and isinstance(value.get("end"), int):
            words = str(value.get("text") or "")
            if words and text[value["start"] : value["end"]] != words:
                # Old versions counted characters beyond the basic plane twice.
                spans += locate(text, [words])
            else:
                spans += _spans([value], text)
    return list(dict.fromkeys(choices)), sorted(set(spans))


def _prodigy_answers(task: Mapping[str, Any], outcome: Imported) -> tuple[Mapping[str, Any], list[_Answer]]:
    answer = task.get("answer")
    if answer != "accept":
        outcome.left_out[{"reject": "rejected", "ignore": "skipped"}.get(str(answer), "not answered")] += 1
        return task, []
    if isinstance(task.get("accept"), list):
        choices = _words(task["accept"])
    elif isinstance(task.get("cats"), dict):
        choices = [str(name) for name, p in task["cats"].items() if isinstance(p, (int, float)) and p >= 0.5]
    else:
        # One label asked at a time says nothing of the others.
        outcome.left_out["single labels"] += 1
        return task, []
    spans = _spans(task.get("spans"), str(task.get("text", "")))
    who = task.get("_annotator_id") or task.get("_session_id")
    return task, [_Answer(choices, spans, False, _time(task.get("_timestamp")), str(who) if who else None)]


# ---------------------------------------------------------------- JSON that may have any shape


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _words(value: Any) -> list[str]:
    return [str(one) for one in _list(value)]


def _spans(value: Any, text: str) -> list[tuple[int, int]]:
    """What of ``value`` are spans that lie within ``text``."""
    found = [(one.get("start"), one.get("end")) for one in _objects(value)]
    return [
        (start, end)
        for start, end in found
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)
    ]


def _time(stamp: Any) -> str:
    """Seconds since 1970 as ISO 8601; nothing for what is no time."""
    try:
        return datetime.fromtimestamp(stamp, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
