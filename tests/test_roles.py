from __future__ import annotations

from classifier.reading import load_reader
from classifier.roles import guess_home, mention_features

TEXT = "Our Ankara airline sends its calls to a firm in Tbilisi."


def test_features_describe_the_words_around_a_place() -> None:
    found = dict(mention_features(load_reader().read(TEXT)))
    assert {("b1", "our"), ("a1", "airline"), ("order", "0"), ("then", "sends"), ("of", "2")} <= set(found["TR"])
    assert {("b1", "in"), ("b2", "firm"), ("b2b1", "firm in"), ("order", "1"), ("near", "calls")} <= set(found["GE"])


def test_the_likeliest_country_is_the_guess() -> None:
    reading = load_reader().read(TEXT)
    guess = guess_home(reading, {"b1": {"our": 2.0}, "b2b1": {"firm in": -2.0}}, 0.0)
    assert guess.country == "TR"
    assert guess.away == {"GE"}
    assert guess.probability > 0.85


def test_no_country_when_none_is_likely() -> None:
    reading = load_reader().read("calls go to Manila")
    guess = guess_home(reading, {"b1": {"to": -3.0}}, 0.0)
    assert guess.country is None
    assert guess.away == {"PH"}
    assert guess_home(load_reader().read("nothing"), {}, 0.0).country is None
