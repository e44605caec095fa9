"""A vocabulary of one's own that extends another: its tables laid over the other's.

- A document, fact or reason for silence with a known id replaces that one; a new id is added.
- A term with a known id adds its definitions to the term's; one from a document that already defines the
  term replaces that document's. With ``replace = true`` the term's definitions are only those given.
- What a term implies replaces what it implied. Exclusions are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import VocabularyError

_BY_ID = ("document", "fact", "silence")
# What each kind of table may hold.
_KEYS = {
    "": {"format", "extends", *_BY_ID, "term", "implication", "exclusion"},
    "document": {"id", "file", "title"},
    "fact": {"id", "facet", "label", "implies"},
    "silence": {"id", "says", "learned"},
    "term": {"id", "label", "also", "replace", "definition"},
    "definition": {"document", "says", "all", "any", "none", "citation"},
    "implication": {"term", "implies"},
    "exclusion": {"terms"},
}


def extended(base: Mapping[str, Any], own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The tables of ``base`` with ``own`` laid over them; ``name`` is the file that messages name.

    Raises:
        VocabularyError: for a table or key that does not exist, or a row without its id.
    """
    check_keys(own, name)
    try:
        found = {k: v for k, v in base.items() if k not in _KEYS[""]} | {"format": own["format"]}
        for kind in _BY_ID:
            found[kind] = _laid_over(base.get(kind, ()), own.get(kind, ()), "id")
        found["implication"] = _laid_over(base.get("implication", ()), own.get("implication", ()), "term")
        found["exclusion"] = [*base.get("exclusion", ()), *own.get("exclusion", ())]
        found["term"] = _terms(base.get("term", ()), own.get("term", ()), name)
    except (KeyError, TypeError, AttributeError) as error:
        raise VocabularyError(f"{name}: {type(error).__name__}: {error}") from error
    return found


def _laid_over(rows: Any, own: Any, key: str) -> list[Any]:
    """``rows`` with those of ``own`` in the place of the one with the same ``key``, or at the end."""
    found = {row[key]: row for row in rows}
    found.update((row[key], row) for row in own)
    return list(found.values())


def _terms(rows: Any, own: Any, name: str) -> list[Any]:
    found = {row["id"]: row for row in rows}
    for row in own:
        if len({d["document"] for d in row.get("definition", ())}) < len(row.get("definition", ())):
            raise VocabularyError(f"{name}: {row['id']} has two definitions from one document: give the document twice")
        known = found.get(row["id"], {})
        before = () if row.get("replace") else known.get("definition", ())
        definitions = _laid_over(before, row.get("definition", ()), "document")
        found[row["id"]] = {**known, **row, "definition": definitions}
    return list(found.values())


def check_keys(tables: Mapping[str, Any], name: str) -> None:
    """Refuse what no vocabulary holds: a misspelt key would otherwise be a condition silently lost.

    Raises:
        VocabularyError: for a table or key that does not exist, a row that is none, or one that stands twice.
    """
    _check_keys("", tables, name)
    try:
        for kind in (*_BY_ID, "term", "implication", "exclusion"):
            rows = tables.get(kind, ())
            for row in rows:
                _check_keys(kind, row, name)
                for definition in row.get("definition", ()):
                    _check_keys("definition", definition, f"{name}: {row.get('id')}")
            ids = [row.get("term" if kind == "implication" else "id") for row in rows]
            twice = sorted({str(i) for i in ids if i is not None and ids.count(i) > 1})
            if twice:
                raise VocabularyError(f"{name}: [[{kind}]] {', '.join(twice)} stands twice: leave one out")
    except (KeyError, TypeError, AttributeError) as error:
        raise VocabularyError(f"{name}: {type(error).__name__}: {error}") from error


def _check_keys(kind: str, row: Mapping[str, Any], name: str) -> None:
    unknown = sorted(row.keys() - _KEYS[kind])
    if unknown:
        where = f"in [[{kind}]] " if kind else ""
        raise VocabularyError(
            f"{name}: {where}{', '.join(unknown)} is not known: use one of {', '.join(sorted(_KEYS[kind]))}"
        )
