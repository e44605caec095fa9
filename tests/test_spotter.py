from __future__ import annotations

import numpy as np

from classifier import Classifier
from classifier.keys import Columns, Symbols, in_column_order, pack
from classifier.lexicon import load_lexicon
from classifier.normal import Context, Normal, normalise
from classifier.reading import Reading, load_reader
from classifier.spotter import WINDOWS, Spotter, probabilities, summaries, windows
from classifier.words import WORD, Words

TEXTS = ["No vendor keeps our books.", "?", "A vendor in Manila, not our staff, answers calls from our Leeds shop."]


def read(texts: list[str], words: Words, context: Context) -> tuple[list[Reading], list[Context], Normal]:
    reader, n = load_reader(), len(texts)
    readings, contexts = reader.read_many(texts, [context.home] * n), [context] * n
    return readings, contexts, normalise(readings, contexts, words, reader.gazetteer, [None] * n)


def named(texts: list[str], context: Context) -> tuple[list[str], list[set[str]]]:
    """The words of texts, and the names of the features in the window of each."""
    words = Words(Symbols(grows=True), load_lexicon())
    readings, contexts, normal = read(texts, words, context)
    at = np.flatnonzero(normal.real)
    families, symbols, keys = windows(readings, contexts, normal, words.symbols, at)
    found = np.concatenate([pack(families[:, None], symbols), keys])
    whole = WINDOWS.whole(found)
    told = [words.symbols.names[s] for s in normal.symbols[WORD, at].tolist()]
    return told, [
        {WINDOWS.name(key, words.symbols) for key in row[yes].tolist()}
        for row, yes in zip(found.T, whole.T, strict=True)
    ]


def spotter(names: list[tuple[str, str]], weights: list[list[int]], symbols: Symbols) -> Spotter:
    """A spotter of two facts: features by template and symbol, and their weights."""
    keys = np.array([pack(WINDOWS[family], *map(symbols.id, name.split())) for family, name in names])
    order = in_column_order(keys)
    return Spotter(
        Columns(keys[order]),
        np.array(weights, dtype=np.int8)[order],
        np.array([0.1, 0.2], np.float32),
        np.array([-1, -2], np.float32),
        np.array([0.5, 0, 0, 0], np.float32),
        "xy",
        symbols,
    )


def test_windows_describe_each_word() -> None:
    words, found = named(TEXTS[:1], Context("US", vendor_contract=True))
    assert words == ["no", "vendor", "keeps", "our", "books"]
    vendor = found[words.index("vendor")]
    assert {"0:vendor", "s0:vendor", "-1:no", "+1:keeps", "-2:<s>", "+2:our", "m:not", "q:third-party"} <= vendor
    assert {"g:home", "g:vc", "-10:no vendor", "0+1:vendor keeps", "-1+1:no keeps"} <= vendor
    assert not any(name.startswith("q:") for name in found[words.index("keeps")])
    assert not any(name.startswith("g:") for window in named(TEXTS[:1], Context())[1] for name in window)


def test_windows_know_what_stands_before_and_after() -> None:
    lexicon = load_lexicon()
    words, found = named(["The vendor answers calls."], Context())
    vendor, calls = (lexicon.word_class(word, 1) for word in ("vendor", "calls"))
    answers = found[words.index("answers")]
    assert {f"nb:{vendor}", f"na:{calls}"} <= answers
    assert f"na:{vendor}" not in answers


def test_texts_taken_together_have_the_windows_that_they_have_alone() -> None:
    words, found = named(TEXTS, Context("GB"))
    alone = [named([text], Context("GB")) for text in TEXTS]
    assert words == [word for some, _ in alone for word in some]
    assert found == [window for _, some in alone for window in some]


def test_scores_add_up_and_unknown_windows_give_the_intercept() -> None:
    symbols = Symbols(grows=True)
    weights = [[10, 0], [-5, 20], [3, 1], [100, 127]]
    features = [("0:{}", "vendor"), ("-1:{}", "no"), ("0+1:{} {}", "vendor keeps"), ("0:{}", "harbour")]
    made = spotter(features, weights, symbols)
    symbols.close()
    readings, contexts, normal = read(TEXTS, Words(symbols, load_lexicon()), Context())
    at = np.flatnonzero(normal.real)
    scores = made.scores(readings, contexts, normal, at)
    expected = []
    for window in named(TEXTS, Context())[1]:
        known = [family.format(*name.split()) for family, name in features]
        steps = sum((np.array(w) for name, w in zip(known, weights, strict=True) if name in window), np.zeros(2))
        expected.append(steps * [0.1, 0.2] + [-1, -2])
    assert np.allclose(scores, expected)
    assert np.allclose(scores[0], [-1, -2])
    assert np.allclose(scores[1], [-0.2, 2.2])
    assert made.scores(readings, contexts, normal, at[:0]).shape == (0, 2)


def test_the_strongest_word_speaks_and_words_add_up() -> None:
    _, _, normal = read(["", "A vendor."], Words(Symbols(grows=True), load_lexicon()), Context())
    at = np.flatnonzero(normal.real)
    found = summaries(np.array([[0.3, 0.0], [0.5, 0.0]], dtype=np.float32), normal, at)
    assert np.allclose(found, [[0, 0, 0, 0], [0.5, 0, np.log(1.8), 0]])
    made = spotter([("0:{}", "vendor")], [[1, 1]], Symbols(grows=True))
    assert np.allclose(made.spotted(found), (found - [0.5, 0, 0, 0]) / 2)


def test_words_under_denial_do_not_speak_for_the_text() -> None:
    texts = ["No vendor.", "A vendor."]
    _, _, normal = read(texts, Words(Symbols(grows=True), load_lexicon()), Context())
    at = np.flatnonzero(normal.real)
    p = np.where(np.arange(len(at)) % 2 == 1, 0.9, 0.001).astype(np.float32)[:, None]
    denied, asserted = summaries(p, normal, at)[:, 0].tolist()
    assert denied < 0.1 < asserted


def test_log_odds_of_any_size_are_probabilities() -> None:
    found = probabilities(np.array([-1e9, -2, 0, 2, 1e9], dtype=np.float32))
    assert np.allclose(found, [0, 0.1192, 0.5, 0.8808, 1], atol=1e-4)


def test_the_deciding_word_is_spotted(classifier: Classifier) -> None:
    reading = load_reader().read("Every quarter a freelancer in Leeds draws the posters for our choir.")
    normal, spotter = classifier.see([reading], [Context()]).normal, classifier.model.spotter
    at = np.flatnonzero(normal.real)
    scores = spotter.scores([reading], [Context()], normal, at)[:, spotter.facts.index("freelancer")]
    assert reading.lower[normal.first[at[int(scores.argmax())]]] == "freelancer"
