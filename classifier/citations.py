"""Resolving a citation in a folder that holds the source documents."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

from .errors import VocabularyError
from .vocabulary import Source


def normalise_paragraph(text: str) -> str:
    """NFC, with white space folded: what a paragraph's digest is taken of."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def digest(paragraph: str) -> str:
    """SHA-256 of the normalised paragraph, in hexadecimal."""
    return hashlib.sha256(normalise_paragraph(paragraph).encode("utf-8")).hexdigest()


def find_paragraph(source: Source, folder: Path) -> str:
    """The cited paragraph: the n-th non-blank line after the last line that reads as the section's heading.

    A trailing ``…`` in the section marks a heading quoted in part.

    Raises:
        VocabularyError: when document, section or paragraph is not there.
    """
    path = folder / f"{source.document.file}.txt"
    try:
        lines = [normalise_paragraph(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or error
        raise VocabularyError(f"{path}: {told}. Give the folder of the source documents.") from error
    lines = [line for line in lines if line]
    if source.section.endswith("…"):
        start = normalise_paragraph(source.section[:-1])
        heads = [i for i, line in enumerate(lines) if line.startswith(start)]
    else:
        heads = [i for i, line in enumerate(lines) if line == normalise_paragraph(source.section)]
    if not heads:
        raise VocabularyError(f"{path.name} has no section {source.section!r}")
    at = heads[-1] + source.paragraph
    if at >= len(lines):
        raise VocabularyError(f"{path.name}, section {source.section!r}: no paragraph {source.paragraph}")
    return lines[at]
