"""Prospects in a file: CSV, as spreadsheets write it, or JSON lines; read row by row, never held whole."""

from __future__ import annotations

import csv
import json
import re
import stat
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alta_client._errors import InvalidInput
from alta_client._records import FIELDS, encode, problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

DELIMITERS = ",;\t"
"""What stands between cells: commas, Excel's semicolons where the comma is decimal, or tabs."""

LONGEST_CELL = 1024 * 1024
"""Characters; more is no cell but a quotation mark that never closes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prospect of a file.

    Attributes:
        line: The line of the file that it begins in, from 1.
        record: The fields as they will be sent; what JSON had there if it is no mapping.
        problems: What is wrong with it, empty if it can be sent.
    """

    line: int
    record: Any
    problems: list[str]


class Table:
    """A file of prospects.

    Args:
        file: CSV with a line of column names, or JSON lines; told apart by the first character.
        names: Column (or key of JSON) to field; an empty field leaves the column out.

    Raises:
        InvalidInput: The file cannot be read, is empty, or its columns cannot be understood.
    """

    def __init__(self, file: Path, names: Mapping[str, str]) -> None:
        self.file = file
        self._names = names
        self._encoding = _encoding(file)
        with self._open() as text:
            beginning = next((line for line in self._lines(text) if line.strip()), "").lstrip()
        if not beginning:
            raise InvalidInput(f"{file} is empty; wanted a line of column names and a line for each prospect")
        if beginning[0] == "[":
            raise InvalidInput(f"{file} is one JSON array; write one object on each line")
        self._json = beginning[0] == "{"
        self._delimiter = DELIMITERS[0] if self._json else max(DELIMITERS, key=lambda one: self._fit(beginning, one))
        self._fields = [] if self._json else self._columns()
        self._unused = set(names) if self._json else set()

    def unused(self) -> list[str]:
        """Return the names that were mapped and that no row has had so far."""
        return sorted(self._unused)

    def _fit(self, header: str, delimiter: str) -> tuple[int, int]:
        """Tell how well a delimiter cuts a header: how many columns have a meaning, and how many there are."""
        columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        return sum(name in self._names or _plain(name) in KNOWN for name in columns), len(columns)

    def rows(self) -> Iterator[Row]:
        """Yield every prospect, bad ones too; blank lines are passed over.

        Raises:
            InvalidInput: The file is no text in its encoding, or no CSV.
        """
        with self._open() as text:
            yield from self._json_rows(text) if self._json else self._csv_rows(text)

    def _open(self) -> TextIO:
        try:
            return self.file.open(encoding=self._encoding, newline="", errors="strict")
        except OSError as error:
            raise InvalidInput(f"cannot read {self.file}: {error.strerror}") from error

    def _columns(self) -> list[str]:
        """Return the field of each column of a CSV file, empty for those that are left out."""
        with self._open() as text:
            _, header = next(iter(self._cells(text)))
        columns = [name.strip() for name in header]
        doubled = [name for name, count in Counter(filter(None, columns)).items() if count > 1]
        if doubled:
            raise InvalidInput(f"{self.file}: the column {doubled[0]!r} stands there twice; rename one")
        missing = [name for name in self._names if name not in columns]
        if missing:
            raise InvalidInput(f"{self.file}: there is no column {missing[0]!r}; there are {', '.join(columns)}")
        fields = [self._names.get(name, KNOWN.get(_plain(name))) if name else "" for name in columns]
        for name, field in zip(columns, fields, strict=True):
            if field is None:
                raise InvalidInput(
                    f"{self.file}: the column {name!r} is no field of a prospect; say --map '{name}=FIELD' with one of"
                    f" {', '.join(FIELDS)} or another name, or --map '{name}=' to leave it out"
                )
        self._nameless = [index for index, name in enumerate(columns) if not name]
        found = [field or "" for field in fields]
        twice = [field for field, count in Counter(filter(None, found)).items() if count > 1]
        if twice:
            raise InvalidInput(f"{self.file}: two columns are {twice[0]}; leave one out with --map 'COLUMN='")
        return found

    def _csv_rows(self, text: TextIO) -> Iterator[Row]:
        cells = self._cells(text)
        next(cells)
        for line, values in cells:
            if len(values) != len(self._fields):
                yield Row(line, None, [f"got {len(values)} cells; wanted {len(self._fields)}, as in the first line"])
                continue
            if any(values[index].strip() for index in self._nameless):
                yield Row(line, None, ["a cell stands below no column name"])
                continue
            record = {
                field: value for field, value in zip(self._fields, values, strict=True) if field and value.strip()
            }
            yield Row(line, record, problems(record))

    def _cells(self, text: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each row that has any, with the line it begins in."""
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(self._lines(text), delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for values in reader:
                if any(value.strip() for value in values):
                    yield line, values
                line = reader.line_num + 1
        except csv.Error as error:
            raise InvalidInput(f"{self.file}:{line}: this is no CSV: {error}") from error

    def _json_rows(self, text: TextIO) -> Iterator[Row]:
        for number, line in enumerate(self._lines(text), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, object_pairs_hook=_object)
                if isinstance(record, dict):
                    record = self._mapped(record)
                    encode(record)
            except (ValueError, RecursionError) as error:
                yield Row(number, None, [f"this is no JSON object: {error}"])
            else:
                yield Row(number, record, problems(record))

    def _mapped(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record with its keys mapped.

        Raises:
            ValueError: Two of them are mapped to the same field.
        """
        self._unused -= record.keys()
        pairs = [(self._names.get(key, key), value) for key, value in record.items()]
        return _object([(field, value) for field, value in pairs if field])

    def _lines(self, text: Iterable[str]) -> Iterator[str]:
        """Yield lines, and say which one is no text."""
        number, lines = 0, iter(text)
        while True:
            number += 1
            try:
                line = next(lines, None)
            except UnicodeError as error:
                raise InvalidInput(
                    f"{self.file} is no {self._encoding.removesuffix('-sig').upper()} near line {number}; save it as"
                    f" UTF-8 ({error.reason if isinstance(error, UnicodeDecodeError) else error})"
                ) from error
            if line is None:
                return
            yield line


def _encoding(file: Path) -> str:
    """Return UTF-8, unless a byte order mark says UTF-16, as Excel's "Unicode text" has."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InvalidInput(f"cannot read {file}: it is no regular file")
        with file.open("rb") as raw:
            mark = raw.read(2)
    except FileNotFoundError:
        raise InvalidInput(f"cannot read {file}: there is no such file") from None
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}") from error
    return "utf-16" if mark in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, none of whose keys stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        doubled = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{doubled!r} stands there twice")
    return found


def _plain(name: str) -> str:
    return re.sub("[-_ ]", "", name).lower()


KNOWN = {_plain(name): name for name in FIELDS}
"""The fields, by their names without case, hyphens, underscores and spaces."""


def field_of(name: str) -> str:
    """Return the field that is meant by a name; one that is not declared is itself."""
    return KNOWN.get(_plain(name), name)
