from __future__ import annotations

import numpy as np

from classifier import Classifier
from classifier.features import Context, normalise
from classifier.lexicon import load_lexicon
from classifier.reading import load_reader
from classifier.spotter import Spotter, summary, window_features


def test_windows_describe_each_word() -> None:
    reader = load_reader()
    reading = reader.read("No vendor keeps our books.")
    normal = normalise(reading, Context("US"), reader.gazetteer, load_lexicon())
    windows = list(window_features(normal, reading, load_lexicon(), Context("US")))
    assert len(windows) == len(normal.words)
    vendor = windows[normal.words.index("vendor")]
    assert {"0:vendor", "-1:no", "+1:keeps", "m:not", "q:third-party", "g:home"} <= set(vendor)


def test_scores_add_up_and_unknown_windows_give_the_intercept() -> None:
    weights = np.array([[10, 0], [-5, 20]], dtype=np.int8)
    spotter = Spotter(
        ["a", "b"],
        weights,
        np.array([0.1, 0.2], np.float32),
        np.array([-1, -2], np.float32),
        np.zeros(4, np.float32),
        "xy",
    )
    scores = spotter.scores([["a", "b", "?"], [], ["b"]])
    assert np.allclose(scores, [[-0.5, 2.0], [-1, -2], [-1.5, 2.0]])
    assert np.allclose(spotter.scores([["?"]]), [[-1, -2]])


def test_words_under_denial_do_not_speak_for_the_text() -> None:
    reader = load_reader()
    for text, silent in (("No vendor.", True), ("A vendor.", False)):
        normal = normalise(reader.read(text), Context(), reader.gazetteer, load_lexicon())
        scores = np.where(np.array([[w == "vendor"] for w in normal.words]), 3.0, -9.0).astype(np.float32)
        assert (summary(scores, normal)[0] < 0.1) == silent


def test_the_deciding_word_is_spotted(classifier: Classifier) -> None:
    reading = load_reader().read("Every quarter a freelancer in Leeds draws the posters for our choir.")
    seen = classifier.see(reading, Context())
    column = classifier.model.spotter.facts.index("freelancer")
    assert seen.normal.words[int(seen.spots[:, column].argmax())] == "freelancer"
