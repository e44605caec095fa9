from __future__ import annotations

from classifier.features import NAME, Context, features_of, normalise
from classifier.lexicon import load_lexicon
from classifier.reading import load_reader
from classifier.roles import HomeGuess


def words(text: str, home: str | None = None, guess: HomeGuess | None = None) -> list[str]:
    reader = load_reader()
    context = Context(home)
    reading = reader.read(text, home)
    return normalise(reading, context, reader.gazetteer, load_lexicon(), guess).words


def names(text: str, context: Context) -> set[str]:
    reader = load_reader()
    reading = reader.read(text, context.home)
    normal = normalise(reading, context, reader.gazetteer, load_lexicon())
    return {n for n, _ in features_of(reading, context, normal, load_lexicon())}


def test_places_are_named_by_how_they_stand_to_the_client() -> None:
    assert words("calls go to Manila", "US") == ["<s>", "calls", "go", "to", "p_far", "</s>"]
    assert words("calls go to Monterrey", "US")[4] == "p_near"
    assert words("calls go to Omaha", "US")[4] == "p_same"
    assert words("calls go to Manila")[4] == "p_only"
    assert words("from Omaha to Manila")[2::2] == ["p_0", "p_1"]


def test_a_sure_guess_stands_in_for_the_home() -> None:
    sure, unsure = HomeGuess("US", 0.9, frozenset({"PH"})), HomeGuess(None, 0.3, frozenset({"PH"}))
    assert words("from Omaha to Manila", guess=sure)[2::2] == ["p_same", "p_far"]
    assert words("calls go to Manila", guess=unsure)[4] == "p_away"


def test_proper_names_and_numbers_are_made_alike() -> None:
    assert words("Halloran Byte watches 12 servers for Quibble & Sons.") == [
        "<s>", NAME, "watches", "#", "servers", "for", NAME, "</s>",
    ]  # fmt: skip
    assert NAME not in words("CLEANING SERVICES FOR BUILDING SEVEN")


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
