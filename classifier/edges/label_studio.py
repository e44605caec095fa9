"""Label Studio: a task from a tagged row, the labelling interface, and the answers in an export.

- Skipped tasks (``was_cancelled``) and tasks without an answer are left out.
- An annotation without a choice is no answer: the form has ``none`` to choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..vocabulary import Vocabulary
from .highlight import locate
from .labelling import EVIDENCE, TERMS, Answer, chosen, options, told
from .loose_json import listed, mapped, objects, spans_in, words_of
from .review import ToReview


def task_of(row: ToReview, vocabulary: Vocabulary) -> dict[str, Any]:
    result: list[dict[str, Any]] = [
        {
            "id": TERMS,
            "from_name": TERMS,
            "to_name": "text",
            "type": "choices",
            "value": {"choices": chosen(row, vocabulary)},
        }
    ]
    for n, (start, end) in enumerate(locate(row.text, row.tags.evidence), start=1):
        value = {"start": start, "end": end, "text": row.text[start:end], "labels": [EVIDENCE]}
        result.append({"id": f"e{n}", "from_name": EVIDENCE, "to_name": "text", "type": "labels", "value": value})
    prediction: dict[str, Any] = {"model_version": row.tags.model, "result": result}
    known = [p for p in row.tags.probabilities if p is not None]
    if known:
        # The tool sorts by it: the least certain tag first.
        prediction["score"] = min(known)
    return {"data": {"text": row.text, **told(row)}, "predictions": [prediction]}


def form(vocabulary: Vocabulary) -> str:
    """The labelling interface of a Label Studio project, in its XML."""
    says = {t.id: f"{t.label}: {t.definitions[0].says}" for t in vocabulary.terms.values()}
    choices = "\n".join(
        f'    <Choice value="{escape(name)}" hint="{escape(says.get(name, says_so))}"/>'
        for name, says_so in options(vocabulary)
    )
    return (
        '<View>\n  <Text name="text" value="$text"/>\n'
        f'  <Labels name="{EVIDENCE}" toName="text"><Label value="{EVIDENCE}" background="#ffe066"/></Labels>\n'
        f'  <Choices name="{TERMS}" toName="text" choice="multiple" required="true">\n{choices}\n  </Choices>\n'
        "</View>\n"
    )


def answers_in(task: Mapping[str, Any], left_out: Counter[str]) -> tuple[Mapping[str, Any], list[Answer]]:
    data = task.get("data")
    if not isinstance(data, dict):
        return task, _flat_answers(task, left_out)
    answers = []
    given = objects(task.get("annotations") or task.get("completions"))
    if not given:
        left_out["not answered"] += 1
    for annotation in given:
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            left_out["skipped"] += 1
            continue
        choices, spans = _results(objects(annotation.get("result")), str(data.get("text", "")))
        if not choices:
            left_out["not answered"] += 1
            continue
        who = annotation.get("completed_by")
        who = who.get("email") or who.get("id") if isinstance(who, dict) else who
        time = annotation.get("updated_at") or annotation.get("created_at") or ""
        by = str(who) if who not in (None, "") else None
        answers.append(Answer(choices, spans, bool(annotation.get("ground_truth")), str(time), by))
    return data, answers


def _flat_answers(task: Mapping[str, Any], left_out: Counter[str]) -> list[Answer]:
    """The short export (JSON-MIN): one object an annotation, choices under the name of their control."""
    given = task.get(TERMS)
    given = given.get("choices") if isinstance(given, dict) else given
    choices = [given] if isinstance(given, str) else words_of(given)
    if not choices:
        left_out["not answered"] += 1
        return []
    spans = spans_in(task.get(EVIDENCE), str(task.get("text", "")))
    who = task.get("annotator")
    time = str(task.get("updated_at") or task.get("created_at") or "")
    return [Answer(choices, spans, False, time, None if who is None else str(who))]


def _results(results: Sequence[Mapping[str, Any]], text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Choices and spans of an annotation."""
    named = [r for r in results if r.get("from_name") == TERMS] or results
    choices: list[str] = []
    for result in named:
        value = mapped(result.get("value"))
        choices += words_of(value.get("choices"))
        # A taxonomy gives paths; the last step is the choice.
        paths = listed(value.get("taxonomy"))
        choices += words_of([path[-1] if isinstance(path, list) and path else path for path in paths])
    spans = []
    for result in results:
        value = mapped(result.get("value"))
        if result.get("type") == "labels" and isinstance(value.get("start"), int) and isinstance(value.get("end"), int):
            words = str(value.get("text") or "")
            if words and text[value["start"] : value["end"]] != words:
                # Old versions counted characters beyond the basic plane twice.
                spans += locate(text, [words])
            else:
                spans += spans_in([value], text)
    return list(dict.fromkeys(choices)), sorted(set(spans))
