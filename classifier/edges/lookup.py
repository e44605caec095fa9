"""Finding a term by what a person or a program calls it."""

from __future__ import annotations

from difflib import get_close_matches

from ..errors import InputError
from ..vocabulary import Term, Vocabulary


def find_term(name: str, vocabulary: Vocabulary) -> Term:
    """The term with this id, label or other name, in any case.

    Raises:
        InputError: when there is none; the message names the nearest id.
    """
    wanted = name.strip().casefold()
    for term in vocabulary.terms.values():
        if wanted in (term.id.casefold(), term.label.casefold(), *(other.casefold() for other in term.also)):
            return term
    close = get_close_matches(wanted, vocabulary.terms, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise InputError(f"unknown term {name!r}: {hint}`classify terms` lists them")
