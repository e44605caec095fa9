"""Prodigy: a task from a tagged row, and the answers in an export.

- Ignored tasks and tasks without an answer are left out.
- A rejected answer says that the tags are wrong but not what is right: left out.
- An accepted answer with nothing chosen means that no term applies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..vocabulary import Vocabulary
from .highlight import locate
from .labelling import EVIDENCE, Answer, chosen, options, told
from .loose_json import spans_in, time_of, words_of
from .review import ToReview


def task_of(row: ToReview, vocabulary: Vocabulary) -> dict[str, Any]:
    spans = [
        {"start": start, "end": end, "text": row.text[start:end], "label": EVIDENCE.upper()}
        for start, end in locate(row.text, row.tags.evidence)
    ]
    return {
        "text": row.text,
        "spans": spans,
        "options": [{"id": name, "text": says} for name, says in options(vocabulary)],
        "accept": chosen(row, vocabulary),
        "meta": {"row": row.number, "model": row.tags.model},
        **told(row),
    }


def answers_in(task: Mapping[str, Any], left_out: Counter[str]) -> tuple[Mapping[str, Any], list[Answer]]:
    answer = task.get("answer")
    if answer != "accept":
        left_out[{"reject": "rejected", "ignore": "skipped"}.get(str(answer), "not answered")] += 1
        return task, []
    if isinstance(task.get("accept"), list):
        choices = words_of(task["accept"])
    elif isinstance(task.get("cats"), dict):
        choices = [str(name) for name, p in task["cats"].items() if isinstance(p, (int, float)) and p >= 0.5]
    else:
        # One label asked at a time says nothing of the others.
        left_out["single labels"] += 1
        return task, []
    spans = spans_in(task.get("spans"), str(task.get("text", "")))
    who = task.get("_annotator_id") or task.get("_session_id")
    return task, [Answer(choices, spans, False, time_of(task.get("_timestamp")), str(who) if who else None)]
