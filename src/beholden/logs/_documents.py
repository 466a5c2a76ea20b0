"""Records out of large JSON documents, without holding a document in memory.

A document is a value such as ``[{...}, {...}]`` or ``{"Records": [{...}, ...]}``; a log may hold several of them. The
splitter follows brackets and strings only; whether a record is valid JSON is found when it is decoded. At most
``limits.LINE_BYTES_MAX`` of a record are held. A damaged record does not swallow the ones behind it as long as
records begin on lines of their own, all indented alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from beholden.core.limits import LINE_BYTES_MAX
from beholden.logs._csv import BROKEN, TRUNCATED
from beholden.logs._json import NOT_JSON, JsonRecord, json_lines
from beholden.logs._source import TOO_LONG, Source

__all__ = ["NO_RECORDS", "Place", "in_array", "json_records"]

NO_RECORDS: Final = "a document without the array that 'records' names"

_DEPTH_MAX: Final = 100
_INDENT_MAX: Final = 256
_STRING: Final = rb'"(?:[^"\\\n]++|\\.)*+"'
#: A whole string, a bracket, or a quote whose string does not end on its line (or not yet).
_TOKEN: Final = re.compile(_STRING + rb'|[{}\[\]"]')
_OUTSIDE: Final = re.compile(_STRING + rb'|[{}\[\]":,]|[^\s{}\[\]":,]+')
_SCALAR: Final = re.compile(rb"(?:" + _STRING + rb"|-?\d[\d.eE+-]*|true|false|null)(?=\s*[,\]])")
_SPACE: Final = re.compile(rb"\s*")
_CLOSERS: Final = {ord("{"): ord("}"), ord("["): ord("]")}
_OBJECT, _ARRAY, _QUOTE, _COMMA, _COLON = b'{[",:'


@dataclass(frozen=True, slots=True)
class Place:
    """Where records are: every value of the array under these keys; without ``in_array`` each document is one."""

    keys: tuple[str, ...] = ()
    in_array: bool = True


class _Scan(Enum):
    WHOLE = "the element ended"
    MORE = "the buffer ended first"
    BAD = "this cannot be JSON"
    DEEP = "nested deeper than any record"


@dataclass(slots=True)
class _Level:
    """An open object or array around the records."""

    closer: int
    key: bytes = b""
    at_key: bool = True
    is_place: bool = False


def in_array(source: Source) -> bool:
    """Whether a log begins with an array, whose values are then its records."""
    return source.head.lstrip().startswith(b"[")


def json_records(source: Source, place: Place | None) -> Iterator[JsonRecord]:
    """The records of a log in order; without a ``place`` one a line, or the values of an array it begins with."""
    if place is None and not in_array(source):
        return json_lines(source)
    return _Splitter(source, place or Place()).records()


class _Splitter:
    def __init__(self, source: Source, place: Place) -> None:
        self._chunks = source.chunks()
        self._place = place
        self._keys = [b'"' + key.encode() + b'"' for key in place.keys]
        self._buffer = b""
        self._at = 0  # the next byte to look at
        self._line = 1  # of buffer position _counted
        self._counted = 0
        self._indent: bytes | None = None  # white space before records that begin their line
        self._levels: list[_Level] = []
        self._document_line = 1
        self._found = False  # the array of records, in this document

    def records(self) -> Iterator[JsonRecord]:
        while self._skip_space():
            byte = self._buffer[self._at]
            if not self._in_place():
                yield from self._outside()
            elif byte == _COMMA and self._levels:
                self._at += 1
            elif self._levels and byte == self._levels[-1].closer:
                yield from self._close(byte)
            elif byte in _CLOSERS:
                yield self._element()
            else:
                yield self._stray()
        if self._levels:
            yield JsonRecord(self._line_at(len(self._buffer)), b"", TRUNCATED)

    def _in_place(self) -> bool:
        return self._levels[-1].is_place if self._levels else not self._place.in_array

    # Around the records

    def _outside(self) -> Iterator[JsonRecord]:
        """One token of what lies around the records."""
        match = _OUTSIDE.match(self._buffer, self._at)
        while (match is None or match.end() == len(self._buffer) or match[0] == b'"') and self._hold(self._at):
            match = _OUTSIDE.match(self._buffer, self._at)
        token = match[0] if match is not None else b'"'
        level = self._levels[-1] if self._levels else None
        if token in (b"{", b"[") and len(self._levels) < _DEPTH_MAX:
            self._open(token[0])
            self._at += 1
        elif token in (b"}", b"]"):
            yield from self._close(token[0])
        elif level is None or token in (b'"', b"{", b"["):
            yield self._stray()
            self._levels.clear()
        else:
            if token in (b",", b":"):
                level.at_key = token == b","
            elif level.at_key:
                level.key = token
            self._at += len(token)

    def _open(self, byte: int) -> None:
        if not self._levels:
            self._document_line = self._line_at(self._at)
            self._found = False
        keys = [level.key for level in self._levels]
        around = all(level.closer == ord("}") for level in self._levels)
        is_place = self._place.in_array and byte == _ARRAY and around and keys == self._keys
        self._found |= is_place
        self._levels.append(_Level(_CLOSERS[byte], is_place=is_place))

    def _close(self, byte: int) -> Iterator[JsonRecord]:
        if not self._levels or self._levels[-1].closer != byte:
            yield self._stray()
            self._levels.clear()
            return
        self._levels.pop()
        self._at += 1
        if not self._levels and self._place.in_array and not self._found:
            yield JsonRecord(self._document_line, b"", NO_RECORDS)

    def _stray(self) -> JsonRecord:
        """What is no record where one is expected: a plain value, or else the rest of the line."""
        number = self._line_at(self._at)
        match = _SCALAR.match(self._buffer, self._at)
        if match is None and self._more(self._at):  # it may only be cut by the end of what is held
            match = _SCALAR.match(self._buffer, self._at)
        if match is not None and self._levels:
            self._at = match.end()
            return JsonRecord(number, b"", "not a JSON object")
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            self._at = len(self._buffer)
            if not self._more(self._at):
                return JsonRecord(number, b"", NOT_JSON)
        self._at = end
        return JsonRecord(number, b"", NOT_JSON)

    # One record

    def _element(self) -> JsonRecord:
        start = self._at
        number = self._line_at(start)
        newline = self._buffer.rfind(b"\n", max(0, start - _INDENT_MAX), start)
        before = self._buffer[newline + 1 : start]
        indent = before if newline >= 0 and not before.strip() else None
        closers: list[int] = []
        too_long = False
        while (scan := self._scan(closers)) is _Scan.MORE:
            size_bytes = len(self._buffer) - start
            if size_bytes > LINE_BYTES_MAX:
                if len(self._buffer) - self._at > LINE_BYTES_MAX:  # one string is too long by itself
                    break
                too_long, start = True, self._at
            if not self._more(start):
                break
            start = 0
        if scan is _Scan.WHOLE and not too_long and self._at - start <= LINE_BYTES_MAX:
            self._indent = self._indent if indent is None else indent
            return JsonRecord(number, self._buffer[start : self._at])
        if scan is _Scan.WHOLE:
            return JsonRecord(number, b"", TOO_LONG)
        self._indent = (indent or b"") if self._indent is None else self._indent
        return self._give_up(number, start, scan, too_long=too_long or len(self._buffer) - start > LINE_BYTES_MAX)

    def _scan(self, closers: list[int]) -> _Scan:
        """Follow brackets from ``_at`` as far as the buffer goes."""
        buffer = self._buffer
        for match in _TOKEN.finditer(buffer, self._at):
            at = match.start()
            byte = buffer[at]
            if byte == _QUOTE:
                if match.end() == at + 1:
                    self._at = at
                    return _Scan.BAD if buffer.find(b"\n", at) >= 0 else _Scan.MORE
            elif byte in _CLOSERS:
                if closers and not self._may_nest(at, closers[-1]):
                    return _Scan.BAD
                if len(closers) >= _DEPTH_MAX:
                    self._at = at
                    return _Scan.DEEP
                closers.append(_CLOSERS[byte])
            elif closers.pop() != byte:
                return _Scan.BAD
            elif not closers:
                self._at = match.end()
                return _Scan.WHOLE
        self._at = len(buffer)
        return _Scan.MORE

    def _may_nest(self, at: int, closer: int) -> bool:
        """Whether a value may stand here: behind a colon in an object, behind a bracket or comma in an array."""
        while at > 0 and self._buffer[at - 1] in b" \t\r\n":
            at -= 1
        before = self._buffer[at - 1] if at > 0 else None
        if closer == ord("}"):
            return before in (None, _COLON)
        return before in (None, _COMMA, _ARRAY)

    def _give_up(self, number: int, start: int, scan: _Scan, *, too_long: bool) -> JsonRecord:
        """Go on at the next line that begins as records do; else everything behind belongs to this problem."""
        before = b"\n" + (self._indent or b"")
        pattern = re.compile(re.escape(before) + rb"\{")
        begin = self._at if scan is _Scan.DEEP else start + 1  # else every level would be looked at again
        while (match := pattern.search(self._buffer, begin)) is None:
            begin = max(begin, len(self._buffer) - len(before))
            if not self._more(begin):
                break
            begin = 0
        self._at = len(self._buffer) if match is None else match.end() - 1
        if match is None:
            self._levels.clear()
        reason = TOO_LONG if too_long else TRUNCATED if match is None and scan is _Scan.MORE else BROKEN
        return JsonRecord(number, b"", reason)

    # The buffer

    def _skip_space(self) -> bool:
        """Move to the next byte that is not white space; false at the end of the log."""
        while True:
            self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]  # always matches
            if self._at < len(self._buffer):
                return True
            if not self._more(self._at):
                return False

    def _hold(self, start: int) -> bool:
        """More bytes behind what is held from ``start``; false at the end of the log or at the limit."""
        return len(self._buffer) - start <= LINE_BYTES_MAX and self._more(start)

    def _more(self, keep: int) -> bool:
        """Take in another chunk, forgetting what lies before ``keep``; false at the end of the log."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._line_at(keep)
        self._counted -= keep
        self._buffer = self._buffer[keep:] + chunk
        self._at -= keep
        return True

    def _line_at(self, position: int) -> int:
        """The physical line of a position in the buffer, at or behind the last one asked for."""
        if position > self._counted:
            self._line += self._buffer.count(b"\n", self._counted, position)
            self._counted = position
        return self._line
