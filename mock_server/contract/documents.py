"""YAML and JSON files, read so that a mistake can be reported with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from mock_server.messages.errors import MockError

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 100
"""Levels of nesting in a file; a contract or a seed has about fifteen."""


class _Loader(_Base):  # type: ignore[misc, valid-type]  # the C loader if it is there, chosen at run time
    """YAML as a superset of JSON: a date is a string, as it would be in JSON, and 20.0 is the integer 20."""

    def construct_number(self, node: yaml.ScalarNode) -> float:
        """Return the value of a number with a fraction or an exponent."""
        number = float(self.construct_yaml_float(node))
        return int(number) if number.is_integer() else number


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
        root: The YAML node of the value, for `line`.
    """

    name: str
    value: Any
    root: yaml.Node

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
            _refuse_depth(text, name)
            loader = _Loader(text)
            root = loader.get_single_node()
            if root is None:
                raise MockError(f"{name} is empty")
            _refuse_oddities(root, name)
            return cls(name, loader.construct_document(root), root)
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
        node, line = self.root, self.root.start_mark.line
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


def _refuse_depth(text: str, name: str) -> None:
    """Refuse deep nesting by the parser's events: the C composer, which recurs, would crash the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH and event.start_mark:
            raise MockError(f"{name}:{event.start_mark.line + 1}: nested deeper than {MAX_DEPTH} levels")


def _refuse_oddities(root: yaml.Node, name: str) -> None:
    """Refuse what YAML has and JSON has not, and duplicate keys, of which one would be lost silently."""
    level, seen = [root], {id(root)}
    while level:
        level = [child for node in level for child in _children(node, name)]
        for node in level:
            if id(node) in seen:
                raise _oddity(node, name, "aliases (&, *) are not supported; write the value out")
            seen.add(id(node))


def _children(node: yaml.Node, name: str) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _oddity(key, name, "a key must be a plain word or a string")
        if key.value in keys:
            raise _oddity(key, name, f"duplicate key {key.value!r}; remove one")
        keys.add(key.value)
        key.tag = "tag:yaml.org,2002:str"  # 200: and yes: are names here, as in JSON
    return [value for _, value in node.value]


def _oddity(node: yaml.Node, name: str, problem: str) -> MockError:
    return MockError(f"{name}:{node.start_mark.line + 1}: {problem}")
