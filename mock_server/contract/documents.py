"""YAML and JSON files, read so that a mistake can be reported with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from mock_server.messages.errors import MockError

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 100
"""Levels of nesting in a file; a contract or a seed has about fifteen."""


class _Loader(_Base):  # type: ignore[misc, valid-type]  # the C loader if it is there, chosen at run time
    """YAML as a superset of JSON: a date is a string, as it would be in JSON, and 20.0 is the integer 20.

    Values are made of the parser's events, in one pass, since the C composer would crash the process on deep nesting.
    """

    def document(self) -> Any:
        """Return the value of the only document; raise _Refused for what YAML has and JSON has not."""
        self.get_event()
        first = self.get_event()
        if isinstance(first, yaml.StreamEndEvent):
            raise _Refused(first, "the file is empty")
        value = self._value(self.get_event(), 0)
        self.get_event()
        second = self.get_event()
        if not isinstance(second, yaml.StreamEndEvent):
            raise _Refused(second, "not YAML: more than one document")
        return value

    def construct_number(self, node: yaml.ScalarNode) -> float:
        """Return the value of a number with a fraction or an exponent."""
        number = float(self.construct_yaml_float(node))
        return int(number) if number.is_integer() else number

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if not isinstance(event, yaml.CollectionStartEvent):
            raise _Refused(event, "aliases (&, *) are not supported; write the value out")
        if event.tag:
            raise _Refused(event, f"the tag {event.tag} is not supported; remove it")
        if depth == MAX_DEPTH:
            raise _Refused(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(one, depth + 1) for one in self._until(yaml.SequenceEndEvent)]
        found: dict[str, Any] = {}
        for key in self._until(yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                raise _Refused(key, "a key must be a plain word or a string")
            if key.value in found:  # one of them would be lost silently
                raise _Refused(key, f"duplicate key {key.value!r}; remove one")
            found[key.value] = self._value(self.get_event(), depth + 1)  # 200: and yes: are names here, as in JSON
        return found

    def _scalar(self, event: Any) -> Any:
        tag = event.tag or self.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag == self.DEFAULT_SCALAR_TAG:
            return event.value
        return self.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark))

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := self.get_event(), end):
            yield event


class _Refused(Exception):
    """What is wrong at an event."""

    def __init__(self, event: Any, problem: str) -> None:
        super().__init__(event.start_mark.line + 1, problem)


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_number)

_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """The value of a file, and the line of each part; equal only to itself.

    Attributes:
        name: The name of the file in messages.
        value: Mappings, sequences and scalars, as in JSON.
        text: The text of the file, for `line`.
    """

    name: str
    value: Any
    text: str = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a YAML or JSON file; one that has not changed is read once, so the value must not be changed.

        Raises:
            MockError: It cannot be read, is not UTF-8, is not YAML, has a duplicate key or nests too deep.
        """
        try:
            stamp = path.stat()
            return _read(path, stamp.st_mtime_ns, stamp.st_size)
        except UnicodeDecodeError as error:
            raise MockError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
        except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
            raise MockError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error

    @classmethod
    def parse(cls, text: str, name: str) -> Document:
        """Parse YAML or JSON; `name` is used in messages."""
        loader = None
        try:
            loader = _Loader(text)
            return cls(name, loader.document(), text)
        except _Refused as refused:
            line, problem = refused.args
            raise MockError(f"{name}:{line}: {problem}") from refused
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise MockError(f"{name}:{line}: not YAML: {error.problem or error.context}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise MockError(f"{name}: not YAML: {str(error).splitlines()[0]}") from error
        finally:
            if loader:
                loader.dispose()

    def line(self, parts: Sequence[str | int]) -> int:
        """Return the line, from 1, of the value at these keys and indices, or of its nearest parent."""
        node = _root(self.text)
        line: int = node.start_mark.line
        for part in parts:
            if isinstance(node, yaml.MappingNode):
                found = next((pair for pair in node.value if pair[0].value == str(part)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line
            else:
                break
        return line + 1


@lru_cache(maxsize=16)
def _read(path: Path, _modified: int, _size: int) -> Document:
    return Document.parse(path.read_text(encoding="utf-8"), str(path))


@lru_cache(maxsize=4)
def _root(text: str) -> Any:
    """Compose the nodes of a text that was parsed, which only those pay for who ask for lines."""
    return yaml.compose(text, Loader=_Loader)
