"""What a caller gives beside the context: descriptions and a threshold, checked before any work is done."""

from __future__ import annotations

from collections.abc import Iterator

from .errors import InputError


def next_of(texts: Iterator[str], most: int, characters: int) -> tuple[list[str], Exception | None]:
    """The next texts to tag together; and what is wrong with the one after them, if that ends it.

    Args:
        texts: descriptions.
        most: how many are taken together.
        characters: after so many no more are added.
    """
    some: list[str] = []
    length = 0
    try:
        for text in texts:
            check_text(text)
            some.append(text)
            length += len(text)
            if len(some) == most or length > characters:
                break
    except Exception as error:
        return some, error
    return some, None


def check_text(text: object) -> None:
    """Refuse what is not a string.

    Raises:
        InputError: saying what it is.
    """
    if not isinstance(text, str):
        raise InputError(f"a description is a string, not {type(text).__name__}")


def check_threshold(threshold: object) -> None:
    """Refuse what is not a probability above 0, or None.

    Raises:
        InputError: saying what is wanted.
    """
    if threshold is None:
        return
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise InputError(f"a threshold is a number, not {type(threshold).__name__}")
    if not 0 < threshold <= 1:
        raise InputError(f"threshold {threshold} is out of range: give a number above 0 and up to 1")
