from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
import zstandard

from classifier.edges.tables.decode import Bytes, Text, encoding_of, mended
from classifier.errors import InputError

TEXT = "id,what\n1,Café – “naïve” £5 für Zürich, größer\n" * 3


def text_of(path: Path, data: bytes, encoding: str | None = None) -> Text:
    path.write_bytes(data)
    return Text(Bytes(path, path.name), encoding)


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (TEXT.encode(), "utf-8", ""),
        (TEXT.encode("utf-8-sig"), "utf-8-sig", ""),
        (TEXT.encode("utf-16"), "utf-16", "UTF-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le", "UTF-16-LE"),
        (TEXT.encode("utf-16-be"), "utf-16-be", "UTF-16-BE"),
        (TEXT.encode("utf-32"), "utf-32", "UTF-32"),
        (TEXT.encode("cp1252"), "cp1252", "Windows-1252"),
        (b"id,what\n1,caf\xe9 \x81\n", "latin-1", "Latin-1"),
        (b"id,what\n1,a\x00b\x00\n", "utf-8", ""),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, data: bytes, name: str, told: str) -> None:
    text = text_of(tmp_path / "in.csv", data)
    assert text.encoding == name
    assert told in text.notice
    assert bool(told) == bool(text.notice)
    lines = [line for line, _ in text.lines()]
    if name not in ("latin-1", "utf-8") or (not told and b"\x00" not in data):
        assert "".join(lines) == TEXT
        assert text.sample == TEXT


def test_latin_letters_far_into_a_file_are_seen(tmp_path: Path) -> None:
    text = text_of(tmp_path / "in.csv", b"what\n" + b"plain\n" * 400_000 + b"caf\xe9\n")
    assert text.encoding == "cp1252"


def test_a_few_bad_bytes_do_not_make_utf_8_latin(tmp_path: Path) -> None:
    text = text_of(tmp_path / "in.csv", "Zürich, größer, £5\n".encode() + b"caf\xe9 \x81\n")
    assert text.encoding == "utf-8"
    assert "2 bytes" in text.notice
    assert list(text.lines()) == [("Zürich, größer, £5\n", False), ("café \\x81\n", True)]


def test_files_of_two_encodings_put_together_are_read_as_what_each_part_is(tmp_path: Path) -> None:
    text = text_of(tmp_path / "in.csv", "Zürich\n".encode() + "Zürich, größer\n".encode("cp1252"))
    assert text.encoding == "utf-8"
    assert list(text.lines()) == [("Zürich\n", False), ("Zürich, größer\n", True)]


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    assert text_of(tmp_path / "a", "żółw\n".encode("cp1250"), "cp1250").sample == "żółw\n"
    assert text_of(tmp_path / "a", b"\xef\xbb\xbfa\n", "utf8").sample == "a\n"
    assert [line for line, _ in text_of(tmp_path / "a", "\ufeffa\n".encode("utf-16-le"), "utf-16-le").lines()] == [
        "a\n"
    ]
    with pytest.raises(InputError, match="unknown encoding 'klingon'"):
        text_of(tmp_path / "a", b"a", "klingon")


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-16", "give utf-16-le or utf-16-be"), ("utf-32", "give utf-32-le or utf-32-be")]
)
def test_an_encoding_without_its_mark_says_what_to_give(tmp_path: Path, encoding: str, told: str) -> None:
    with pytest.raises(InputError, match=f"a.csv is not {encoding} .*{told}"):
        text_of(tmp_path / "a.csv", b"id;what\n1;a\n2;b", encoding)
    assert text_of(tmp_path / "a.csv", "a\n".encode(encoding), encoding).sample == "a\n"


@pytest.mark.parametrize("data", [b"\xff\xfea\x00\n", b"\xff\xfe\x00\xd8a\x00\n\x00"])
def test_broken_utf_16_is_told_and_not_fatal(tmp_path: Path, data: bytes) -> None:
    lines = list(text_of(tmp_path / "a", data).lines())
    assert "a" in lines[0][0]
    assert any(damaged for _, damaged in lines)


@pytest.mark.parametrize(
    ("text", "line_end"),
    [("a\nb\n", "\n"), ("a\r\nb", "\n"), ("a\rb\r", "\r"), ('a,"x\ny"\rb\r', "\r"), ('"x\ry"\nb\n', "\n"), ("a", "\n")],
)
def test_line_ends_are_found(tmp_path: Path, text: str, line_end: str) -> None:
    assert text_of(tmp_path / "a", text.encode()).line_end == line_end


def test_compressed_files_are_read_whatever_their_name(tmp_path: Path) -> None:
    data = TEXT.encode()
    frame = zstandard.ZstdCompressor().compress
    for stored in (gzip.compress(data), gzip.compress(data[:50]) + gzip.compress(data[50:]), frame(data), frame(data[:50]) + frame(data[50:])):  # fmt: skip
        (tmp_path / "in.csv").write_bytes(stored)
        source = Bytes(tmp_path / "in.csv", "in.csv")
        assert "".join(line for line, _ in Text(source).lines()) == TEXT
        assert source.head == data


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("size", [400_000, 3_000_000])
def test_a_cut_off_file_is_refused_and_not_half_read(tmp_path: Path, compress: object, size: int) -> None:
    data = b"".join(hashlib.sha256(b"%d" % i).hexdigest().encode() for i in range(size // 32))
    stored = compress(data)  # type: ignore[operator]
    (tmp_path / "in.csv").write_bytes(stored[: len(stored) - 1000])
    with pytest.raises(InputError, match="damaged or cut off"):
        encoding_of(Bytes(tmp_path / "in.csv", "in.csv"))


def test_what_is_not_text_is_made_readable() -> None:
    assert mended("plain é") == ("plain é", False)
    assert mended("caf\udce9 \udc93") == ("café “", True)
    assert mended("\udc81 \udc01") == ("\\x81 \\x01", True)
