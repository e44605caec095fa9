from __future__ import annotations

from classifier.features import FAMILIES, Features, features_of
from classifier.keys import Symbols
from classifier.lexicon import load_lexicon
from classifier.normal import Context, Normal, normalise
from classifier.reading import load_reader
from classifier.words import Words


def seen(text: str, context: Context) -> tuple[Normal, Features, Words]:
    reader = load_reader()
    reading = reader.read(text, context.home)
    words = Words(Symbols(grows=True), load_lexicon())
    normal = normalise([reading], [context], words, reader.gazetteer, [None])
    return normal, features_of([reading], [context], normal, words.symbols), words


def names(text: str, context: Context) -> set[str]:
    _, features, table = seen(text, context)
    return {FAMILIES.name(key, table.symbols) for key in features.keys[FAMILIES.whole(features.keys)].tolist()}


def test_features_are_named_after_what_they_are_made_of() -> None:
    found = names("No vendor keeps in-house books.", Context())
    assert {"w:vendor", "w:not:vendor", "w2:<s> no", "w3:no vendor keeps", "k:no keeps", "p:vendor"} - found == {
        "p:vendor"  # not longer than its beginning
    }
    assert {"w:in-house", "c:third-party", "c:third-party:denied", "x:length:1", "x:sentences:1"} <= found
    assert {"w2:books </s>", "p:custom"} <= names("customers' books", Context())
    vendor = load_lexicon().word_class("vendor", 0)
    assert {f"u:0:{vendor}", f"uu:0:<s> {vendor}"} <= names("vendor", Context())


def test_texts_taken_together_have_the_features_that_they_have_alone() -> None:
    texts = ["A vendor in Manila answers our calls.", "We do it. In-house!", "?", "no vendor\n\nno bureau"]
    reader, table = load_reader(), Words(Symbols(grows=True), load_lexicon())
    readings, contexts = reader.read_many(texts, [None] * 4), [Context()] * 4
    normal = normalise(readings, contexts, table, reader.gazetteer, [None] * 4)
    together = features_of(readings, contexts, normal, table.symbols)
    for n, text in enumerate(texts):
        keys = together.keys[(together.text == n) & FAMILIES.whole(together.keys)]
        _, alone, own = seen(text, Context())
        assert sorted(FAMILIES.name(k, table.symbols) for k in keys.tolist()) == sorted(
            FAMILIES.name(k, own.symbols) for k in alone.keys[FAMILIES.whole(alone.keys)].tolist()
        )


def test_swapping_a_country_moves_only_place_features() -> None:
    """The same sentence about Manila and Cebu, or Manila and Hanoi, gives the same features."""
    context = Context("US")
    assert names("our calls go to a firm in Manila", context) == names("our calls go to a firm in Hanoi", context)


def test_denied_cues_are_marked() -> None:
    assert "c:third-party:denied" in names("No vendor does it.", Context())
    assert "c:third-party:denied" not in names("A vendor does it.", Context())


def test_context_is_a_feature() -> None:
    assert "x:vendor-contract" in names("cleaning", Context(vendor_contract=True))
    assert "x:vendor-contract" not in names("cleaning", Context())
