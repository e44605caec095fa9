"""Bytes of an input as lines of text: compression, encoding, line ends; nothing is dropped on the way."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from ...errors import InputError, MissingExtraError
from .formats import GZIP, ZSTD, compression_of

_SAMPLE = 1 << 20
_BLOCK = 1 << 16
_LONGEST_LINE = 1 << 26
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
_KEPT = re.compile("[\udc00-\udcff]")
_QUOTED = re.compile(r'"[^"]*"')
_KEEP = "classifier.keep"
_MARK = "\ufeff"
UNDECODABLE = "bytes that are not valid in the file's encoding were read as Windows-1252"
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes as lone surrogates, one each, so that :func:`mended` can put something readable there."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + b) for b in error.object[error.start : error.end]), error.end


codecs.register_error(_KEEP, _keep)


def mended(line: str) -> tuple[str, bool]:
    r"""``line`` with undecodable bytes as characters of Windows-1252 (or as ``\x81``), and whether there were any."""
    if line.isascii() or not _KEPT.search(line):
        return line, False

    def character(match: re.Match[str]) -> str:
        byte = ord(match.group()) - 0xDC00
        if byte < 0x80 or byte in _NOT_IN_CP1252:
            return f"\\x{byte:02x}"
        return bytes([byte]).decode("cp1252")

    return _KEPT.sub(character, line), True


class Bytes:
    """The uncompressed bytes of an input. A file can be opened again and again, standard input once.

    Attributes:
        name: for messages.
        head: the first bytes, up to a mebibyte.
        size: bytes as stored; None when unknown.
    """

    def __init__(self, path: Path | None, name: str) -> None:
        self.name = name
        self.path = path
        self._raw: IO[bytes] | None = None
        if path is None:
            self.size: int | None = None
            start = sys.stdin.buffer.read(_SAMPLE)
            stream = _again(start, sys.stdin.buffer)
            self.compression = compression_of(start)
            if self.compression:
                stream = self._uncompressed(stream)
                start = _read(stream, _SAMPLE, name)
                stream = _again(start, stream)
            self.head = start
            self._stdin: BinaryIO | None = stream
            return
        self._stdin = None
        self.size = path.stat().st_size
        with path.open("rb") as file:
            self.compression = compression_of(file.read(4))
        with self.open() as stream:
            self.head = _read(stream, _SAMPLE, name)

    def open(self) -> BinaryIO:
        """A stream of the uncompressed bytes from the start."""
        if self.path is None:
            stream, self._stdin = self._stdin, None
            assert stream is not None, "standard input is read once"  # noqa: S101 - a programming error
            return stream
        self._raw = self.path.open("rb")
        return self._uncompressed(self._raw)

    def digest(self) -> str | None:
        """The SHA-256 of the stored bytes; None for standard input."""
        if self.path is None:
            return None
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def share(self) -> float | None:
        """How much of the stored bytes has been read, 0 to 1; None when unknown."""
        if not self.size or self._raw is None:
            return None
        return 1.0 if self._raw.closed else min(1.0, self._raw.tell() / self.size)

    def close(self) -> None:
        """Close the file behind the last stream."""
        if self._raw is not None:
            self._raw.close()

    def _uncompressed(self, stream: Any) -> BinaryIO:
        if self.compression == GZIP:
            return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
        if self.compression == ZSTD:
            return io.BufferedReader(_Frames(stream), _SAMPLE)
        return cast(BinaryIO, stream)


class _Frames(io.RawIOBase):
    """The content of all Zstandard frames of a stream; ours and those of parallel compressors have several."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._package = zstandard()
        self._frame: Any = None
        self._waiting = b""
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            data = self._waiting or self._stream.read(_BLOCK)
            self._waiting = b""
            if not data:
                if self._frame is not None:
                    raise EOFError("it ends within a frame")
                return 0
            if self._frame is None:
                self._frame = self._package.ZstdDecompressor().decompressobj()
            self._rest = self._frame.decompress(data)
            if self._frame.eof:
                self._waiting, self._frame = self._frame.unused_data, None
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


class _Again(io.RawIOBase):
    """Bytes already read, then the rest of their stream."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            count = min(len(buffer), len(self._head))
            buffer[:count], self._head = self._head[:count], self._head[count:]
            return count
        data = self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _again(head: bytes, rest: IO[bytes]) -> BinaryIO:
    return io.BufferedReader(_Again(head, rest), _BLOCK)


def zstandard() -> Any:
    """The package zstandard.

    Raises:
        MissingExtraError: when it is not installed.
    """
    try:
        import zstandard as package
    except ImportError:
        raise MissingExtraError("zstandard", "zstd") from None
    return package


def _read(stream: BinaryIO, size: int, name: str) -> bytes:
    try:
        return stream.read(size)
    except Exception as error:
        raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> Exception:
    """What to raise for an error while uncompressing; ``error`` itself when it is of another kind."""
    if isinstance(error, DAMAGED) or type(error).__name__ == "ZstdError":
        return InputError(f"{name} is damaged or cut off ({error}): fetch it again, or uncompress what can be saved")
    return error


class Encoding(NamedTuple):
    """How the bytes of a file become text; ``notice`` is for the user when it had to be guessed."""

    name: str
    notice: str = ""


def encoding_of(data: Bytes, wanted: str | None = None) -> Encoding:
    """The encoding of an input: the one ``wanted``, by its mark, else UTF-8 if it is that, else Windows-1252.

    A file is looked through to its end, standard input for its first mebibyte.

    Raises:
        InputError: for an unknown encoding, or a damaged compressed file.
    """
    if wanted is not None:
        try:
            name = codecs.lookup(wanted).name
            "".encode(name)
        except (LookupError, ValueError):
            raise InputError(
                f"unknown encoding {wanted!r}: give one such as utf-8, utf-16, cp1252 or latin-1"
            ) from None
        return Encoding("utf-8-sig" if name == "utf-8" else name)
    for mark, name in _BOMS:
        if data.head.startswith(mark):
            return Encoding(
                name, "" if name == "utf-8-sig" else f"{data.name}: read as {name.upper()}, as its mark says"
            )
    odd, even = data.head[1:4096:2], data.head[0:4096:2]
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if len(high) > 3 and high.count(0) > 0.4 * len(high) and low.count(0) < 0.1 * len(low):
            return Encoding(name, f"{data.name}: read as {name.upper()}, though it has no mark")
    good, bad, undefined = _census(data)
    if not bad:
        return Encoding("utf-8")
    # Hardly any text in another encoding has good UTF-8 in it by chance.
    if 4 * good > bad:
        return Encoding("utf-8", f"{data.name}: UTF-8 with {bad} bytes that are not, which are read as Windows-1252")
    name, told = ("latin-1", "Latin-1") if undefined else ("cp1252", "Windows-1252")
    return Encoding(name, f"{data.name} is not UTF-8: read as {told}; give --encoding if that is wrong")


def _census(data: Bytes) -> tuple[int, int, bool]:
    """Characters beyond ASCII that are good UTF-8, bytes that are not, and whether any of those is not in cp1252."""
    decoder = codecs.getincrementaldecoder("utf-8")(_KEEP)
    good = bad = 0
    undefined = False

    def count(block: bytes, final: bool) -> None:
        nonlocal good, bad, undefined
        text = decoder.decode(block, final)
        if text.isascii():
            return
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        wrong = [] if _encodes(text) else _KEPT.findall(text)
        bad += len(wrong)
        good += beyond - len(wrong)
        undefined = undefined or any(ord(c) - 0xDC00 in _NOT_IN_CP1252 for c in wrong)

    if data.path is None:
        # The sample may end within a character.
        count(data.head, len(data.head) < _SAMPLE)
        return good, bad, undefined
    with data.open() as stream:
        while block := _read(stream, _SAMPLE, data.name):
            count(block, False)
        count(b"", True)
    return good, bad, undefined


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Text:
    """The lines of an input.

    Attributes:
        encoding: as Python names it.
        line_end: ``"\\n"`` (also for CRLF), or ``"\\r"`` for files of old Macintoshes.
        sample: the first characters, about a mebibyte at most.
    """

    def __init__(self, data: Bytes, wanted: str | None = None) -> None:
        self.data = data
        self.encoding, self.notice = encoding_of(data, wanted)
        decoder = codecs.getincrementaldecoder(self.encoding)(_KEEP)
        try:
            sample = decoder.decode(data.head, len(data.head) < _SAMPLE)
        except UnicodeError as error:  # UTF-16 without its mark, and encodings that are not for text
            hint = f"{self.encoding}-le or {self.encoding}-be" if "BOM" in str(error) else "another, or none"
            raise InputError(f"{data.name} is not {self.encoding} ({error}): give {hint} as --encoding") from None
        self.sample = mended(sample)[0].removeprefix(_MARK)
        outside = _QUOTED.sub("", self.sample)
        if "\n" not in outside and "\r" not in outside:
            outside = self.sample
        self.line_end = "\r" if "\r" in outside and "\n" not in outside else "\n"

    def forget(self) -> None:
        """Let the first look at the file go: of thousands of files it would fill the memory."""
        self.sample, self.data.head = "", b""

    def lines(self) -> Iterator[tuple[str, bool]]:
        """Lines with their ends, and whether a line held undecodable bytes (see :func:`mended`)."""
        stream = self.data.open()
        with io.TextIOWrapper(stream, encoding=self.encoding, errors=_KEEP, newline=self.line_end) as text:
            try:
                # A byte order mark stays when the encoding's name says the order, too.
                line = text.readline(_LONGEST_LINE).removeprefix(_MARK)
                while line:
                    yield mended(line)
                    line = text.readline(_LONGEST_LINE)
            except Exception as error:
                raise damaged(self.data.name, error) from error
            finally:
                self.data.close()
