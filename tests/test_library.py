"""The library as programs use it: one line to load, offline, from threads, processes and event loops, typed."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import classifier as package
from classifier import Classifier, Tagging, load
from classifier.vocabulary import DEFAULT, parse_vocabulary

from .conftest import ROOT

TEXTS = [
    "A firm in Texas runs the help desk of our New York company.",
    "Calls from our customers are answered by a vendor in Manila.",
    "Our own staff do the payroll in our office in Leeds.",
    "We ended the contract with the cleaning firm last year.",
    "",
]


@pytest.fixture(scope="module")
def expected(classifier: Classifier) -> list[Tagging]:
    return [classifier.tag(text, home="US") for text in TEXTS]


def tag_here(text: str) -> Tagging:
    return package.tag(text, home="US")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_line_answers_without_a_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('the network was asked for')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import classifier; print(*classifier.load().tag('Calls are answered by a vendor in Manila.', home='US').ids)"
    )
    assert "offshoring" in run(code).split()


def test_many_threads_load_one_classifier() -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor as Pool\nfrom classifier import load\n"
        "with Pool(6) as pool: found = list(pool.map(lambda _: load(), range(6)))\n"
        "print(len({id(c) for c in found}))"
    )
    assert run(code).strip() == "1"


def test_threads_agree_with_one_by_one(classifier: Classifier, expected: list[Tagging]) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: classifier.tag(text, home="US"), TEXTS * 12))
        streams = list(pool.map(lambda _: list(classifier.tag_many(TEXTS, home="US")), range(8)))
    assert found == expected * 12
    assert all(stream == expected for stream in streams)


def test_tagging_changes_nothing(classifier: Classifier) -> None:
    model = classifier.model
    arrays = {name: value for name, value in vars(model).items() if isinstance(value, np.ndarray)}
    before = {name: value.tobytes() for name, value in arrays.items()}
    attributes = {**vars(classifier)}
    list(classifier.tag_many(TEXTS))
    assert {name: value.tobytes() for name, value in arrays.items()} == before
    assert vars(classifier) == attributes


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes_agree(classifier: Classifier, expected: list[Tagging], way: str) -> None:
    if way not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {way}")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(way)) as pool:
        assert list(pool.map(tag_here, TEXTS)) == expected
        # Handed over as an object: a bound method carries its classifier.
        assert pool.submit(classifier.tag, TEXTS[0], home="US").result() == expected[0]


def test_joblib_workers_agree(classifier: Classifier, expected: list[Tagging]) -> None:
    from joblib import Parallel, delayed

    assert Parallel(n_jobs=2)(delayed(classifier.tag)(text, home="US") for text in TEXTS) == expected


def test_a_classifier_pickles_as_paths_and_comes_back_the_same(classifier: Classifier) -> None:
    data = pickle.dumps(classifier)
    assert len(data) < 500
    assert str(ROOT).encode() not in data  # the default model is the other machine's own
    assert pickle.loads(data) is classifier  # noqa: S301
    by_path = load(classifier.model.folder, DEFAULT)
    assert str(ROOT).encode() in pickle.dumps(by_path)
    assert pickle.loads(pickle.dumps(by_path)) is by_path  # noqa: S301


def test_a_classifier_with_a_vocabulary_from_nowhere_is_not_pickled(classifier: Classifier) -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    made = Classifier(classifier.model, parse_vocabulary(text), classifier._reader, classifier._lexicon)
    with pytest.raises(pickle.PicklingError, match="save it"):
        pickle.dumps(made)


def test_taggings_pickle_with_their_probabilities(expected: list[Tagging]) -> None:
    again = pickle.loads(pickle.dumps(expected))  # noqa: S301
    assert again == expected
    assert [t.term_probabilities for t in again] == [t.term_probabilities for t in expected]


def test_every_term_and_fact_has_a_probability(classifier: Classifier, expected: list[Tagging]) -> None:
    for tagging in expected:
        terms, facts = dict(tagging.term_probabilities), dict(tagging.fact_probabilities)
        assert list(terms) == list(classifier.vocabulary.terms)
        assert list(facts) == list(classifier.vocabulary.facts)
        for term in tagging.terms:
            assert terms[term.id] == pytest.approx(term.probability, abs=1e-4)
        for miss in tagging.near_misses:
            assert terms[miss.id] == pytest.approx(miss.probability, abs=1e-4)
        assert all(0 <= p <= 1.0001 for p in (*terms.values(), *facts.values()))


def test_an_event_loop_goes_on_while_texts_are_tagged(classifier: Classifier, expected: list[Tagging]) -> None:
    async def main() -> tuple[list[Tagging], Tagging, int]:
        beats = 0
        busy = True

        async def beat() -> None:
            nonlocal beats
            while busy:
                beats += 1
                await asyncio.sleep(0)

        heart = asyncio.create_task(beat())
        found = await asyncio.gather(*(classifier.atag(text, home="US") for text in TEXTS))
        other = await package.atag(TEXTS[0], home="US")
        busy = False
        await heart
        return list(found), other, beats

    found, other, beats = asyncio.run(main())
    assert found == expected
    assert other == expected[0]
    # Once before the first text is handed over; more only if the loop was free meanwhile.
    assert beats > 2


@pytest.mark.parametrize("name", ["tag", "tag_many", "atag"])
def test_package_functions_take_what_the_methods_take(name: str) -> None:
    ours = inspect.signature(getattr(package, name)).parameters
    theirs = inspect.signature(getattr(Classifier, name)).parameters
    assert list(ours) == list(theirs)[1:]
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()][1:]


CALLER = """
from __future__ import annotations

import asyncio

import classifier
from classifier import Classifier, Tagging, load

own: Classifier = load()
tagging: Tagging = own.tag("x", home="US", threshold=0.5)
ids: tuple[str, ...] = classifier.tag("x", vendor_contract=True).ids
wire: list[str] = [term.id for found in classifier.tag_many(["x"]) for term in found.terms]
later: Tagging = asyncio.run(classifier.atag("x"))
spans: list[tuple[int, int]] = [(s.start, s.end) for t in tagging.terms for s in t.evidence]
sure: dict[str, float] = dict(tagging.term_probabilities)
why: str | None = tagging.reason.says if tagging.reason else None
"""
WRONG = {
    "own.tag(3)": "arg-type",
    "classifier.tag('x', hom='US')": "call-arg",
    "classifier.lode()": "attr-defined",
    "tagging.text = 'y'": "misc",
}


def test_a_caller_passes_mypy_strict_and_mistakes_do_not(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLER)
    (tmp_path / "wrong.py").write_text(CALLER + "\n".join(WRONG))
    done = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(ROOT / ".mypy_cache" / "caller"),
            "caller.py", "wrong.py",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert not [line for line in found if not line.startswith("wrong.py")], done.stdout
    assert [line.rpartition("[")[2].rstrip("]") for line in found] == list(WRONG.values()), done.stdout + done.stderr
    assert (ROOT / "classifier" / "py.typed").exists()
