"""Amounts of money as people write them in tables: "£1,234.50", "1.234,50 €", "(300)", "1e6", "10-20"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

# Cells that say that there is no amount.
_NOTHING = frozenset(
    {"", "-", "–", "—", ".", "n/a", "na", "nil", "none", "null", "nan", "tbc", "tbd", "unknown", "#n/a"}
)
_SYMBOLS = {"£": "GBP", "€": "EUR", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₴": "UAH", "₦": "NGN"}
# Symbols that several currencies share stand for themselves.
_SHARED = frozenset({"$", "¥", "kr"})
_WORDS = {"us$": "USD", "a$": "AUD", "c$": "CAD", "zł": "PLN", "kč": "CZK", "euro": "EUR", "euros": "EUR", "ft": "HUF"}
# ISO 4217, so that "12 pcs" is no currency.
_CODES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK "
    "HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL "
    "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON "
    "RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL".split()
)
_TIMES = {
    "k": 3, "thousand": 3, "m": 6, "mm": 6, "mn": 6, "mio": 6, "million": 6, "millions": 6,
    "bn": 9, "b": 9, "billion": 9, "billions": 9,
}  # fmt: skip
_NUMBER = re.compile(r"\d[\d.,'’\s]*(?:e[+-]?\d{1,3})?|[.,]\d+", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?e[+-]?\d+", re.IGNORECASE)
_SPACED = re.compile(r"\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d*)?")
_RANGE = re.compile(r"(?<=[\d.\s)kmn£€$])\s*(?:-|–|—|\bto\b|\.\.)\s*(?=[^\d\s-]{0,4}\s*\d)", re.IGNORECASE)
# "2020-21" is a year, and no number is written short in this way.
_YEAR, _YEAR_END = re.compile(r"(?:19|20)\d\d"), re.compile(r"\d\d")
# A number from here on is written out: "50,000 - 1m" means what it says, "500-1m" may mean 500k.
_WHOLE = 1000
_LARGEST = 18  # digits before the point; more is a number of another kind


@dataclass(frozen=True, slots=True)
class Money:
    """An amount. ``doubtful`` says that "1.234" was read as a thousand and more; ``ranged`` that it is a middle."""

    amount: Decimal
    currency: str | None = None
    ranged: bool = False
    doubtful: bool = False


def is_blank(cell: str) -> bool:
    """Whether a cell says that there is no amount."""
    return cell.strip().lower() in _NOTHING


def parse_money(cell: str) -> Money | None:
    """The amount in a cell; None when it cannot be read as one. A range counts as its middle.

    A multiple behind a range ("10-20k") counts for both ends.
    """
    text = " ".join(cell.split()).removeprefix("'")
    whole = _single(text)
    if whole is not None:
        return whole.money
    parts = _RANGE.split(text)
    if len(parts) != 2:
        return None
    ends = _ends(_single(parts[0]), _single(parts[1]))
    if ends is None:
        return None
    low, high = ends
    if low.currency and high.currency and low.currency != high.currency:
        return None
    # The two ends may well be the same amount, and then it is no range.
    return Money(
        (low.amount + high.amount) / 2,
        low.currency or high.currency,
        low.amount != high.amount,
        low.doubtful or high.doubtful,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """An amount with the digits as written and the power of ten that a word behind them stood for."""

    money: Money
    digits: str
    power: int | None


def _ends(low: _Read | None, high: _Read | None) -> tuple[Money, Money] | None:
    """The two ends of a range; None where an end is none or could be read in two ways."""
    if low is None or high is None or (_YEAR.fullmatch(low.digits) and _YEAR_END.fullmatch(high.digits)):
        return None
    lower, upper = low.money, high.money
    if low.power is None and high.power is not None:
        if abs(lower.amount) <= abs(upper.amount.scaleb(-high.power)):
            return replace(lower, amount=lower.amount.scaleb(high.power)), upper
        if abs(lower.amount) < _WHOLE or lower.doubtful:
            return None
    if low.power is not None and high.power is None and upper.amount < lower.amount:
        return None
    return lower, upper


def _single(text: str) -> _Read | None:
    found = _NUMBER.search(text)
    if found is None or any(c.isdigit() for c in text[: found.start()] + text[found.end() :]):
        return None
    before, after = text[: found.start()].strip().lower(), text[found.end() :].strip().lower()
    if found.group().rstrip().endswith(",") and after[:1] in ("-", "–", "—"):
        after = after[1:].strip()  # "1.000,-" is a round sum
    negative = False
    for sign in ("-", "−", "–"):
        if sign in before:
            before, negative = before.replace(sign, "", 1).strip(), True
            break
        if after.startswith(sign):
            after, negative = after[1:].strip(), True
            break
    if "(" in before and ")" in after:
        before, after, negative = before.replace("(", "", 1), after.replace(")", "", 1), True
    read = _digits(found.group().strip(), european="€" in before + after or "eur" in before + after)
    if read is None:
        return None
    number, doubtful = read
    currency = power = None
    for word in (*before.removeprefix("+").split(), *_words(after)):
        if word in _TIMES:
            number = number.scaleb(_TIMES[word])
            power = (power or 0) + _TIMES[word]
            continue
        named = _currency(word)
        if named is None or (currency is not None and named != currency):
            return None
        currency = named
    if number and number.adjusted() >= _LARGEST:
        return None
    return _Read(Money(-number if negative else number, currency, False, doubtful), found.group().strip(), power)


def _words(after: str) -> list[str]:
    """What follows a number: "m€" is a multiple and a currency."""
    words = after.split()
    if words and words[0][-1] in _SYMBOLS and words[0][:-1] in _TIMES:
        return [words[0][:-1], words[0][-1], *words[1:]]
    return words


def _currency(word: str) -> str | None:
    word = word.rstrip(".")
    if word in _SYMBOLS:
        return _SYMBOLS[word]
    if word in _SHARED:
        return word
    if word in _WORDS:
        return _WORDS[word]
    return word.upper() if word.upper() in _CODES else None


def _digits(text: str, european: bool) -> tuple[Decimal, bool] | None:
    """The number, and whether it could be read in two ways."""
    if _SCIENTIFIC.fullmatch(text):
        return _decimal(text.replace(",", ".")), False
    text = text.rstrip(",")
    if "e" in text.lower() or (re.search(r"['’\s]", text) and not _SPACED.fullmatch(text)):
        return None
    text = re.sub(r"['’\s]", "", text)
    points, commas = text.count("."), text.count(",")
    doubtful = False
    if points and commas:
        # The mark that comes last is the decimal one.
        decimal, group = (".", ",") if text.rfind(".") > text.rfind(",") else (",", ".")
        if text.count(decimal) > 1:
            return None
        text = text.replace(group, "").replace(decimal, ".")
    elif points + commas == 1:
        mark = "." if points else ","
        left, _, right = text.partition(mark)
        grouped = len(right) == 3 and 1 <= len(left) <= 3 and left[0] != "0"
        doubtful = grouped and mark == "." and not european
        text = left + right if grouped else f"{left or '0'}.{right}"
    elif points + commas:
        mark = "." if points else ","
        groups = text.split(mark)
        # Also the Indian way: 12,34,567.
        if not (1 <= len(groups[0]) <= 3 and len(groups[-1]) == 3 and all(2 <= len(g) <= 3 for g in groups[1:])):
            return None
        text = "".join(groups)
    return _decimal(text), doubtful


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.rstrip("."))
    except InvalidOperation:  # pragma: no cover - the patterns above let only numbers through
        return Decimal(0)
