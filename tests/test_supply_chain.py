"""What scripts/supply_chain concludes from what its tools tell; the tools themselves are not run."""

from __future__ import annotations

import json
import runpy
from typing import Any, NamedTuple

import pytest

from .conftest import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "supply_chain"), run_name="supply_chain")
Audit, Package = SCRIPT["Audit"], SCRIPT["Package"]


@pytest.mark.parametrize(
    ("licence", "permissive", "by_file"),
    [
        ("MIT", True, False),
        ("MIT License", True, False),
        ("BSD-3-Clause", True, False),
        ("3-Clause BSD License", True, False),
        ("Apache-2.0", True, False),
        ("Apache-2.0 (by its file)", True, False),
        ("Apache-2.0 OR BSD-2-Clause", True, False),
        ("ISC License (ISCL)", True, False),
        ("PSF-2.0", True, False),
        ("PSFL", True, False),
        ("MPL-2.0", False, True),
        ("Mozilla Public License 2.0 (MPL 2.0)", False, True),
        ("MPL-2.0 AND MIT", False, True),
        ("GPL-3.0-or-later", False, False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False, False),
        ("AGPL-3.0", False, False),
        ("MIT AND GPL-2.0", False, False),  # all that is named must be kept to
        ("Mozilla Public License 1.1", False, False),
        ("NVIDIA Proprietary Software", False, False),
        ("LicenseRef-Ours", False, False),
        ("UNKNOWN", False, False),
        ("", False, False),
    ],
)
def test_licences_are_told_apart(licence: str, permissive: bool, by_file: bool) -> None:
    assert SCRIPT["is_permissive"](licence) is permissive
    assert bool(SCRIPT["BY_FILE"].search(licence)) is by_file


def dependency(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [], **more}


@pytest.mark.parametrize(
    ("rows", "asked", "known", "unasked"),
    [
        ([dependency("a"), dependency("b")], 2, [], {}),
        ([dependency("a", vulns=[{"id": "CVE-1"}, {"id": "CVE-2"}])], 1, ["a 1.0: CVE-1", "a 1.0: CVE-2"], {}),
        ([dependency("a"), {"name": "b", "skip_reason": "not found"}], 1, [], {"b": "not found"}),
        ([{"name": "b", "skip_reason": "no network"}], 0, [], {"b": "no network"}),
        ([], 0, [], {}),
    ],
)
def test_what_was_passed_over_is_not_clean(
    rows: list[dict[str, Any]], asked: int, known: list[str], unasked: dict[str, str]
) -> None:
    audit = SCRIPT["read_audit"](json.dumps({"dependencies": rows, "fixes": []}))
    assert (audit.asked, list(audit.known), dict(audit.unasked)) == (asked, known, unasked)


@pytest.mark.parametrize("told", ["", "no network", "[]", "{}", "null", '{"dependencies": 3}', '{"dependencies": [3]}'])
def test_no_answer_is_no_audit(told: str) -> None:
    assert SCRIPT["read_audit"](told).asked == 0


@pytest.mark.parametrize(
    ("audit", "clean", "words"),
    [
        (Audit(3, (), {}), True, "3 of 3 versions were looked up on 2024-05-01 by pip-audit 2"),
        (Audit(2, (), {"c": "not found"}), True, "- c: not found"),
        (Audit(3, ("a 1.0: CVE-1",), {}), False, "- a 1.0: CVE-1"),
        (Audit(0, (), {"pypi": "no network"}), False, "**Not audited.**"),
        (Audit(0, (), {}), False, "Nothing is said of vulnerabilities"),
    ],
)
def test_the_page_says_no_more_than_was_looked_up(audit: Any, clean: bool, words: str) -> None:
    told = SCRIPT["of_audit"](audit, "2024-05-01", 3, "pip-audit 2")
    assert words in told
    assert ("No vulnerability is known" in told) is clean


@pytest.mark.parametrize(
    ("answering", "tried"),
    [("pypi", ["1 pypi", "3 pypi"]), ("osv", ["1 pypi", "1 osv", "3 osv"]), ("", ["1 pypi", "1 osv"])],
)
def test_a_service_that_knows_nothing_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, answering: str, tried: list[str]
) -> None:
    done = []

    def lookup(found: list[Any], service: str) -> tuple[Any, str]:
        done.append(f"{len(found)} {service}")
        if service == answering:
            return Audit(len(found), (), {}), ""
        return Audit(0, (), {"a": "not found"} if service == "pypi" else {}), "no such host"

    monkeypatch.setitem(SCRIPT["audited"].__globals__, "lookup", lookup)
    audit = SCRIPT["audited"]([Package(name, "1.0", "MIT", ()) for name in "abc"])
    assert done == tried
    assert audit == (Audit(3, (), {}) if answering else Audit(0, (), {"pypi": "not found", "osv": "no such host"}))


class Installed(NamedTuple):
    name: str
    requires: list[str] | None


def test_each_package_names_the_extras_that_bring_it() -> None:
    found = [
        Installed(SCRIPT["NAME"], ["Base>=1", "server; extra == 'service'", "table[fast]; extra == 'excel'"]),
        Installed("base", ["deep_one", "elsewhere; sys_platform == 'nowhere'"]),
        Installed("Deep.One", None),
        Installed("server", ["shared"]),
        Installed("table", ["shared", "quick; extra == 'fast'", "slow; extra == 'slow'"]),
        Installed("shared", ["table"]),  # a circle ends
        Installed("quick", None),
        Installed("slow", None),
    ]
    assert SCRIPT["brought_by"](found, ["service", "excel"]) == {
        SCRIPT["canonical"](SCRIPT["NAME"]): {"", "service", "excel"},
        "base": {"", "service", "excel"},
        "deep-one": {"", "service", "excel"},
        "server": {"service"},
        "table": {"service", "excel"},
        "shared": {"service", "excel"},
        "quick": {"excel"},
        "slow": set(),
    }


def test_the_wheel_is_built_under_circumstances_that_all_differ() -> None:
    one, other = SCRIPT["CIRCUMSTANCES"]
    assert one.keys() == other.keys()
    assert not [key for key in one if one[key] == other[key]]


def test_everything_that_the_wheel_is_built_from_is_copied() -> None:
    names = {str(path) for path in SCRIPT["tracked"]()}
    assert {"pyproject.toml", "README.md", "LICENSE", "classifier/engine.py", "models/default/manifest.json"} <= names


def test_the_pages_that_are_kept_name_no_folder_of_a_machine() -> None:
    kept = [SCRIPT["PAGE"], SCRIPT["SBOM"]]
    for path in kept:
        text = path.read_text(encoding="utf-8")
        assert "/tmp/" not in text  # noqa: S108
        assert "file://" not in text
    components = json.loads(kept[1].read_text(encoding="utf-8"))
    assert components["bomFormat"] == "CycloneDX"
    assert {c["name"] for c in components["components"]} >= {
        "numpy",
        "scikit-learn",
        "scipy",
        "spacy",
        "joblib",
        "typer",
    }
