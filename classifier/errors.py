"""Every error the core raises on purpose, in one tree.

Each message says what is wrong and what to do next. The edges turn them into exit
codes or HTTP statuses; nothing here knows about either.
"""

from __future__ import annotations


class ClassifierError(Exception):
    """Base of all errors raised on purpose."""


class VocabularyError(ClassifierError):
    """The vocabulary file contradicts itself or cannot be read."""


class ModelError(ClassifierError):
    """The model artefact is missing, damaged, foreign, or made for another version."""


class InputError(ClassifierError):
    """Input from the caller that cannot be used."""


class ScenarioError(ClassifierError):
    """A training scenario or evaluation row that breaks the schema."""


class MissingExtraError(ClassifierError):
    """An optional dependency is not installed; the message names the extra."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f'{package} is not installed: run pip install "arrangement-classifier[{extra}]" and try again.'
        )
        self.package = package
        self.extra = extra
