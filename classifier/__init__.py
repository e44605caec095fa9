"""Tags plain descriptions of business arrangements with outsourcing terms, and proves each tag.

>>> from classifier import load
>>> load().tag("A firm in Texas runs the help desk of our New York shop.").ids  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .engine import Classifier, load
    from .tagging import Tagging

__version__ = "0.1.0"
__all__ = ["Classifier", "Tagging", "__version__", "load", "tag", "tag_many"]


def tag(text: str, **context: Any) -> Tagging:
    """Tag one description with the model that ships with the package. See :meth:`Classifier.tag`."""
    from .engine import load

    return load().tag(text, **context)


def tag_many(texts: Iterable[str], **context: Any) -> Iterator[Tagging]:
    """Tag descriptions lazily with the model that ships. See :meth:`Classifier.tag_many`."""
    from .engine import load

    return load().tag_many(texts, **context)


def __getattr__(name: str) -> Any:
    # Nothing heavy is imported before it is asked for.
    if name in ("Classifier", "load"):
        from . import engine

        return getattr(engine, name)
    if name == "Tagging":
        from .tagging import Tagging

        return Tagging
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
