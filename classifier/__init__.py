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
__all__ = ["Classifier", "Tagging", "__version__", "atag", "load", "tag", "tag_many"]


def tag(
    text: str,
    home: str | None = None,
    provider_country: str | None = None,
    vendor_contract: bool = False,
    threshold: float | None = None,
) -> Tagging:
    """Tag one description with the model that ships with the package. See :meth:`Classifier.tag`."""
    from .engine import load

    return load().tag(text, home, provider_country, vendor_contract, threshold)


def tag_many(
    texts: Iterable[str],
    home: str | None = None,
    provider_country: str | None = None,
    vendor_contract: bool = False,
    threshold: float | None = None,
) -> Iterator[Tagging]:
    """Tag descriptions lazily with the model that ships. See :meth:`Classifier.tag_many`."""
    from .engine import load

    return load().tag_many(texts, home, provider_country, vendor_contract, threshold)


async def atag(
    text: str,
    home: str | None = None,
    provider_country: str | None = None,
    vendor_contract: bool = False,
    threshold: float | None = None,
) -> Tagging:
    """:func:`tag` for asynchronous code: loading and tagging run in a thread. See :meth:`Classifier.atag`."""
    from asyncio import to_thread

    return await to_thread(tag, text, home, provider_country, vendor_contract, threshold)


if not TYPE_CHECKING:  # or every misspelt name would pass a type check

    def __getattr__(name: str) -> Any:
        # Nothing heavy is imported before it is asked for.
        if name in ("Classifier", "load"):
            from . import engine

            return getattr(engine, name)
        if name == "Tagging":
            from .tagging import Tagging

            return Tagging
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
