"""A model that was changed, cut, mixed up or made by something else is refused before it answers.

What a load verifies is :func:`classifier.model.read_manifest` for what answering reads, and
:func:`classifier.training.estimator.load_estimator` for the estimator, so neither needs a whole model to be built.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest

from classifier import load
from classifier.errors import ModelError
from classifier.model import ESTIMATOR, PROTOCOL, default_path, read_manifest
from classifier.training.estimator import load_estimator

MANIFEST = "manifest.json"
LISTED = tuple(sorted(json.loads((default_path() / MANIFEST).read_text(encoding="utf-8"))["files"]))
NAMES = (MANIFEST, *LISTED)
FLIPS = 500
REMEDIES = ("Reinstall the package", "upgrade the package", "train it again")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy for all tests; each puts back what it changed."""
    return Path(shutil.copytree(default_path(), tmp_path_factory.mktemp("tamper") / "model"))


@pytest.fixture
def copy(copied: Path) -> Iterator[Path]:
    kept = {name: (copied / name).read_bytes() for name in NAMES}
    yield copied
    for name, data in kept.items():
        if not (copied / name).is_file() or (copied / name).read_bytes() != data:
            (copied / name).write_bytes(data)


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was unpickled."""
    found: list[Any] = []
    open_it = joblib.load

    def spy(source: Any, *args: Any, **more: Any) -> Any:
        found.append(source)
        return open_it(source, *args, **more)

    monkeypatch.setattr(joblib, "load", spy)
    return found


def refusal(folder: Path, name: str) -> str:
    """The message with which a changed file is refused by whoever reads it."""
    check: Callable[[Path], Any] = load_estimator if name == ESTIMATOR else read_manifest
    with pytest.raises(ModelError) as caught:
        check(folder)
    return str(caught.value)


def assert_helps(message: str, name: str, folder: Path) -> None:
    # A change of the manifest shows in its protocol, in its own digest, or in that of a file that it lists.
    blamed = NAMES if name == MANIFEST else (name,)
    assert any(str(folder / n) in message for n in blamed) or f"the model in {folder} has protocol" in message, message
    assert any(remedy in message for remedy in REMEDIES), message


def places(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Bits all over the artefact: each file gets its share, and more of them where there is more to hit."""
    chance = random.Random(6)  # noqa: S311
    sizes = {name: (folder / name).stat().st_size for name in NAMES}
    for n in range(FLIPS):
        by_size = n % 2 == 0
        name = chance.choices(NAMES, [sizes[m] for m in NAMES])[0] if by_size else NAMES[n // 2 % len(NAMES)]
        yield name, chance.randrange(sizes[name]), chance.randrange(8)


def same_json(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def test_every_flipped_bit_is_refused(copy: Path, opened: list[Any]) -> None:
    tried = 0
    for name, position, bit in places(copy):
        whole = (copy / name).read_bytes()
        changed = bytearray(whole)
        changed[position] ^= 1 << bit
        if name == MANIFEST and same_json(whole, changed):
            continue  # as 1E-5 for 1e-5: it says the same
        (copy / name).write_bytes(changed)
        assert_helps(refusal(copy, name), name, copy)
        (copy / name).write_bytes(whole)
        tried += 1
    assert tried > FLIPS - 10
    assert opened == []
    read_manifest(copy)


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_or_lengthened_or_missing_file_is_refused(copy: Path, opened: list[Any], name: str) -> None:
    whole = (copy / name).read_bytes()
    end = len(whole.rstrip()) - 1
    for data in (b"", whole[:1], whole[: len(whole) // 2], whole[:end], whole + b"\0", whole + whole):
        (copy / name).write_bytes(data)
        assert_helps(refusal(copy, name), name, copy)
    (copy / name).unlink()
    message = refusal(copy, name)
    assert name in message
    assert any(remedy in message for remedy in REMEDIES)
    assert opened == []


def test_files_that_changed_places_are_refused(copy: Path) -> None:
    for one, other in zip(LISTED, LISTED[1:], strict=False):
        first, second = (copy / one).read_bytes(), (copy / other).read_bytes()
        if first == second:
            continue
        (copy / one).write_bytes(second)
        (copy / other).write_bytes(first)
        for name in (one, other):
            with pytest.raises(ModelError):
                (load_estimator if name == ESTIMATOR else read_manifest)(copy)
        (copy / one).write_bytes(first)
        (copy / other).write_bytes(second)


FOREIGN = [
    "", "null", "true", "3", '"protocol"', "[]", "{}", "[[[[", "{'protocol': 1}", '{"protocol": NaN}', "\ufeff{}",
    "<html>not found</html>", "PK\x03\x04", "\x80\x04\x95",
    *map(json.dumps, [
        {"name": "left-pad", "version": "1.3.0", "files": ["index.js"]},
        {"protocol": None}, {"protocol": "1"}, {"protocol": {"files": []}}, {"protocol": [PROTOCOL]},
        {"protocol": PROTOCOL},
        {"protocol": PROTOCOL, "files": [], "body": {}, "digest": ""},
        {"protocol": PROTOCOL, "files": {}, "body": [], "digest": 3},
    ]),
    "[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
def test_a_foreign_manifest_is_refused(copy: Path, content: str) -> None:
    (copy / MANIFEST).write_text(content, encoding="utf-8")
    assert_helps(refusal(copy, MANIFEST), MANIFEST, copy)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00" * 100, b'{"protocol": "\xff"}'])
def test_a_manifest_that_is_no_text_is_refused(copy: Path, data: bytes) -> None:
    (copy / MANIFEST).write_bytes(data)
    assert_helps(refusal(copy, MANIFEST), MANIFEST, copy)


@pytest.mark.parametrize(
    ("protocol", "remedy"),
    [
        (PROTOCOL - 1, "train it again with this version"),
        (0, "train it again with this version"),
        (-7, "train it again with this version"),
        (PROTOCOL + 1, "upgrade the package"),
        (10**30, "upgrade the package"),
    ],
)
def test_another_protocol_says_which_way_to_go(copy: Path, protocol: int, remedy: str) -> None:
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    manifest["protocol"] = protocol
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    message = refusal(copy, MANIFEST)
    assert remedy in message
    assert f"protocol {protocol}, this version reads {PROTOCOL}" in message
    assert str(copy) in message
    # The door that users take says the same.
    with pytest.raises(ModelError, match=remedy):
        load(copy)


def test_the_estimator_is_opened_when_it_is_whole(copy: Path, opened: list[Any]) -> None:
    assert hasattr(load_estimator(copy), "predict")
    assert len(opened) == 1


def test_an_estimator_with_a_digest_of_its_own_is_not_opened(copy: Path, opened: list[Any]) -> None:
    """Another estimator does not pass by writing its digest into the manifest, which has one over all of them."""
    from classifier.model import sha256_of

    joblib.dump({"not": "ours"}, copy / ESTIMATOR)
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][ESTIMATOR] = sha256_of((copy / ESTIMATOR).read_bytes())
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="was changed"):
        load_estimator(copy)
    assert opened == []
