"""Prospects in a file, CSV or JSON lines, which is read row by row."""

from __future__ import annotations

import csv
import json
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from alta_client._errors import InvalidInput
from alta_client._records import FIELDS, encode, problems

DELIMITERS = ",;\t"
"""Commas, Excel's semicolons where the comma is the decimal separator, or tabs."""

LONGEST_CELL = 1024 * 1024
"""Characters; a longer cell is a quotation mark that is never closed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prospect of a file, which begins in a `line`, from 1; its `record` is any JSON value if that is no object."""

    line: int
    record: Any
    problems: list[str]


class Table:
    """A file of prospects: CSV with a header, or JSON lines, recognised by the first character.

    `names` maps a column or key to a field; an empty field leaves it out. `unused` are those no row has had so far.
    Raises InvalidInput if the file cannot be read, is empty, or has an unknown column.
    """

    def __init__(self, file: Path, names: Mapping[str, str]) -> None:
        self.file, self._names, self._encoding = file, names, _encoding(file)
        with self._open() as text:
            header = next((line for line in self._lines(text) if line.strip()), "").lstrip()
        if not header:
            raise InvalidInput(f"{file} is empty; write a line of column names, and a line for each prospect")
        if header[0] == "[":
            raise InvalidInput(f"{file} is one JSON array; write one object on each line")
        self._json = header[0] == "{"
        self._delimiter = DELIMITERS[0] if self._json else max(DELIMITERS, key=lambda one: self._fit(header, one))
        self._fields = [] if self._json else self._columns()
        self.unused = set(names) if self._json else set()

    def rows(self) -> Iterator[Row]:
        """Yield every prospect, also bad ones, but no blank lines; raise InvalidInput if it is not text or not CSV."""
        with self._open() as text:
            yield from self._json_rows(text) if self._json else self._csv_rows(text)

    def _fit(self, header: str, delimiter: str) -> tuple[int, int]:
        """Return how many columns of a header are known with a delimiter, and how many there are."""
        columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        return sum(name in self._names or _plain(name) in KNOWN for name in columns), len(columns)

    def _open(self) -> TextIO:
        try:
            return self.file.open(encoding=self._encoding, newline="", errors="strict")
        except OSError as error:
            raise InvalidInput(f"cannot read {self.file}: {error.strerror}; make it readable") from error

    def _columns(self) -> list[str]:
        """Return the field of each column of a CSV file; empty for a column that is left out."""
        with self._open() as text:
            _, header = next(iter(self._cells(text)))
        columns = [name.strip() for name in header]
        if twice := _twice(filter(None, columns)):
            raise InvalidInput(f"{self.file}: the column {twice!r} occurs twice; rename one")
        missing = [name for name in self._names if name not in columns]
        if missing:
            raise InvalidInput(f"{self.file}: unknown column {missing[0]!r}; choose one of {', '.join(columns)}")
        fields = [self._names.get(name, KNOWN.get(_plain(name))) if name else "" for name in columns]
        if None in fields:
            name = columns[fields.index(None)]
            raise InvalidInput(
                f"{self.file}: the column {name!r} is not a field of a prospect; use --map '{name}=FIELD' with one of"
                f" {', '.join(FIELDS)} or another name, or --map '{name}=' to leave it out"
            )
        found = [field or "" for field in fields]
        if twice := _twice(filter(None, found)):
            raise InvalidInput(f"{self.file}: two columns are {twice}; leave one out with --map 'COLUMN='")
        self._nameless = [index for index, name in enumerate(columns) if not name]
        return found

    def _csv_rows(self, text: TextIO) -> Iterator[Row]:
        cells = self._cells(text)
        next(cells)
        for line, values in cells:
            if len(values) != len(self._fields):
                yield Row(line, None, [f"got {len(values)} cells; expected {len(self._fields)}, as in the first line"])
            elif any(values[index].strip() for index in self._nameless):
                yield Row(line, None, ["a cell is in a column without a name"])
            else:
                pairs = zip(self._fields, values, strict=True)
                record = {field: value for field, value in pairs if field and value.strip()}
                yield Row(line, record, problems(record))

    def _cells(self, text: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each row that is not blank, with the line in which it begins."""
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(self._lines(text), delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for values in reader:
                if any(value.strip() for value in values):
                    yield line, values
                line = reader.line_num + 1
        except csv.Error as error:
            raise InvalidInput(f"{self.file}:{line}: invalid CSV: {error}") from error

    def _json_rows(self, text: TextIO) -> Iterator[Row]:
        for number, line in enumerate(self._lines(text), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, object_pairs_hook=_object)
                if isinstance(record, dict):
                    self.unused -= record.keys()
                    pairs = [(self._names.get(key, key), value) for key, value in record.items()]
                    record = _object([(field, value) for field, value in pairs if field])
                    encode(record)
            except (ValueError, RecursionError) as error:
                yield Row(number, None, [f"invalid JSON object: {error}"])
            else:
                yield Row(number, record, problems(record))

    def _lines(self, text: Iterable[str]) -> Iterator[str]:
        """Yield lines, naming the first that cannot be decoded."""
        number = 1
        try:
            for number, line in enumerate(text, 2):  # noqa: B007 - the number of the next line
                yield line
        except UnicodeError as error:
            reason = error.reason if isinstance(error, UnicodeDecodeError) else error
            encoding = self._encoding.removesuffix("-sig").upper()
            message = f"{self.file} is not {encoding} near line {number}; save it as UTF-8 ({reason})"
            raise InvalidInput(message) from error


def _encoding(file: Path) -> str:
    """Return UTF-8, or UTF-16 with its byte order mark, which Excel's "Unicode text" has."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InvalidInput(f"cannot read {file}: it is not a regular file")
        with file.open("rb") as raw:
            return "utf-16" if raw.read(2) in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}; check its name and permissions") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; raise ValueError if a key occurs twice."""
    if (twice := _twice(name for name, _ in pairs)) is not None:
        raise ValueError(f"{twice!r} occurs twice")
    return dict(pairs)


def _twice(names: Iterable[str]) -> str | None:
    """Return the first name that occurs twice."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _plain(name: str) -> str:
    return re.sub("[-_ ]", "", name).lower()


KNOWN = {_plain(name): name for name in FIELDS}
"""The fields, by their names without case, hyphens, underscores and spaces."""


def field_of(name: str) -> str:
    """Return the field that a name means; an undeclared field means itself."""
    return KNOWN.get(_plain(name), name)
