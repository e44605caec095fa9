"""The model card: what a model was trained on, how good it is, how it compares, and how far its tags hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .metrics import HEADER, line, term_table

if TYPE_CHECKING:
    from .fit import Bin, CrossValidation, Fitted, Prepared

_WIDTH = 40
# What follows does not come from training.
_MARK = "\n<!-- measured and read apart from training -->\n"


def card(version: str, data: Prepared, fitted: Fitted, validation: CrossValidation, parts: Path | None = None) -> str:
    """The card in Markdown.

    Args:
        version: of the package.
        data, fitted, validation: what training made.
        parts: a folder that may hold ``rivals.json`` (from ``scripts/rivals``) and ``*.md`` sections, which are
            added as they are, in the order of their names.
    """
    from .fit import FOLDS_NOTE, expected_calibration_error, reliability

    bins = reliability(data, validation.probabilities)
    text = f"""# Model card: default {version}

A structured logistic regression (scikit-learn estimator `StructuredLogistic`) and a small convolutional network,
whose scores are added up, over {len(data.labels.facts)} facts, {len(data.labels.terms)} terms and
{len(data.labels.silences)} reasons for silence. An answer is one of
{len(fitted.estimator.configurations_)} configurations of facts seen in training; terms follow from the facts by the
definitions, so each tag has its proof.

- Trained on {len(data.scenarios)} hand-written scenarios; {len(fitted.space):,} feature columns, and
  {sum(v.size for net in fitted.nets for v in net.values()):,} parameters of {len(fitted.nets)} networks.
- Temperature {validation.temperature}; thresholds by term from
  {min(validation.thresholds.values())} to {max(validation.thresholds.values())};
  all chosen on out-of-fold answers, the thresholds leaning to precision.

## Cross-validation ({FOLDS_NOTE})

```
{HEADER}
{line("scenarios, out of fold", validation.scores)}

{term_table(validation.scores)}
```

## Calibration

Out-of-fold probabilities of all terms against how often they came true. Expected calibration error over all:
{expected_calibration_error(bins):.3f}; over those from 0.1 to 0.9: {expected_calibration_error(_middle(bins)):.3f}.

```
{diagram(bins)}
```
"""
    return text + (appendix(parts) if parts is not None else "")


def appendix(parts: Path) -> str:
    """What a folder of parts adds to a card, after a mark."""
    text = _MARK
    table = parts / "rivals.json"
    if table.exists():
        text += rivals_section(json.loads(table.read_text(encoding="utf-8")))
    for path in sorted(parts.glob("*.md")):
        text += "\n" + path.read_text(encoding="utf-8").strip() + "\n"
    return text


def refresh(path: Path, parts: Path) -> None:
    """Put the parts as they are now into a card that has been written."""
    before = path.read_text(encoding="utf-8").partition(_MARK)[0]
    path.write_text(before + appendix(parts), encoding="utf-8")


def _middle(bins: Sequence[Bin]) -> list[Bin]:
    return [b for b in bins if 0.1 <= b.low < 0.9]


def diagram(bins: Sequence[Bin]) -> str:
    """A reliability diagram in text: ``#`` is how often it came true, ``|`` where the probability says."""
    rows = [f"{'probability':13} {'count':>7} {'mean':>6} {'true':>6}"]
    for b in bins:
        bar = ["#"] * round(b.frequency * _WIDTH) + [" "] * (_WIDTH - round(b.frequency * _WIDTH))
        bar[min(_WIDTH - 1, round(b.mean * _WIDTH))] = "|"
        drawn = "".join(bar).rstrip()
        rows.append(f"{b.low:.1f} to {b.low + 0.1:.1f}    {b.count:7d} {b.mean:6.3f} {b.frequency:6.3f}  {drawn}")
    return "\n".join(rows)


def rivals_section(rivals: Mapping[str, Mapping[str, Any]]) -> str:
    """The comparison with other ways to do the same, as Markdown."""

    def cells(scores: Mapping[str, Any] | None) -> str:
        if scores is None:
            return "- | - | - | - | - | -"
        keys = ("micro_f1", "precision", "recall", "macro_f1", "exact_match", "no_term_clean")
        return " | ".join(f"{scores[k]:.3f}" if scores[k] is not None else "-" for k in keys)

    lines = [
        "",
        "## Compared with other ways",
        "",
        "By `scripts/rivals`: the same texts and held-out folds (contrast groups stay together); for each rival the",
        "one threshold that is best on its own out-of-fold answers. The model that ships has thresholds by term,",
        "too, and fitted temperatures.",
        "",
        "| rival | what | scenarios | micro | prec. | recall | macro | exact | clean |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rivals.items():
        lines.append(f"| {name} | {row['what']} | {row['scenarios']} | {cells(row.get('out_of_fold'))} |")
    lines += [
        "",
        "The same on labelled descriptions that are no scenarios:",
        "",
        "| rival | micro | prec. | recall | macro | exact | clean |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [f"| {name} | {cells(row.get('labelled_files'))} |" for name, row in rivals.items()]
    return "\n".join(lines) + "\n"
