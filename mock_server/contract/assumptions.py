"""What the vendor's documentation leaves open, and which reading of it is in force.

`assumptions.yaml` lists the open questions with their choices. Code that depends on one asks for it by a `Question`,
which holds a value for each choice: `choices[ORDER]` is whether a list begins with the newest object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from mock_server.contract import bundled_files
from mock_server.contract.documents import Document
from mock_server.messages.errors import MockError
from mock_server.messages.names import nearest

T = TypeVar("T")

MOST_SHOWN = 60
"""Characters of a wrong value that a message shows."""


class Question(Generic[T]):
    """An open question where code depends on it: a value for each choice, by id, that of the default first."""

    __slots__ = ("default", "id", "values")

    def __init__(self, question_id: str, values: Mapping[str, T]) -> None:
        self.id, self.values = question_id, values
        self.default = next(iter(values.values()))


class Choices:
    """The choice that is in force for each question.

    Attributes:
        chosen: Choices other than the defaults, by the ids of their questions.
        asked: The ids of the questions that were asked so far: a request that asks none gets the same response under
            every choice.
    """

    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self.chosen = chosen or {}
        self.asked: set[str] = set()

    def __getitem__(self, question: Question[T]) -> T:
        """Return the value of the choice that is in force."""
        self.asked.add(question.id)
        chosen = self.chosen.get(question.id)
        return question.default if chosen is None else question.values[chosen]


@dataclass(frozen=True, slots=True)
class Choice:
    """One reading of the documentation.

    Attributes:
        id: Its name; empty if the question has no other.
        happens: What the fake does.
        why: Why the documentation allows it.
        overlay: Actions of an OpenAPI overlay that change the contract; mostly none.
    """

    id: str
    happens: str
    why: str
    overlay: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Assumption:
    """One question that the vendor's documentation does not answer.

    Attributes:
        choices: The default first; the only one if the question is fixed.
        advice: What a consumer should do that depends on a choice.
        fixed: Why there is no other choice.
        operation: The operation whose schema the choices change; empty if code asks for the choice.
    """

    id: str
    question: str
    choices: tuple[Choice, ...]
    advice: str = ""
    fixed: str = ""
    operation: str = ""

    @property
    def ours(self) -> Choice:
        """The default."""
        return self.choices[0]


def load() -> list[Assumption]:
    """Return every assumption, in the order of the file."""
    return [_read(**entry) for entry in Document.read(bundled_files.package_file("contract/assumptions.yaml")).value]


def _read(choices: Iterable[Any] = (), ours: str = "", why: str = "", **others: str) -> Assumption:
    found = tuple(Choice(**choice) for choice in choices) or (Choice("", ours, why),)
    return Assumption(choices=found, **others)


def switches() -> dict[str, Assumption]:
    """Return the assumptions that have more than one choice, by id."""
    return {one.id: one for one in load() if not one.fixed}


def checked(chosen: Mapping[str, str], *, keep_defaults: bool = False) -> dict[str, str]:
    """Return choices by the ids of their questions, without the defaults unless they are to be kept.

    Raises:
        MockError: A question or a choice is unknown; names the known ones.
    """
    if not chosen:
        return {}
    known = switches()
    for name, choice in chosen.items():
        if name not in known:
            fixed = next((one.fixed for one in load() if one.id == name), None)
            if fixed:
                raise MockError(f"the assumption {name!r} has no other choice: {fixed}")
            close = nearest(str(name), known, 0.6)
            remedy = f"did you mean {close}?" if close else f"choose one of {', '.join(known)}"
            raise MockError(f"unknown assumption {_short(name)!r}; {remedy}")
        ids = [one.id for one in known[name].choices]
        if choice not in ids:
            raise MockError(f"{name}={_short(choice)} is not a choice; choose one of {', '.join(ids)}")
    return {name: choice for name, choice in chosen.items() if keep_defaults or choice != known[name].ours.id}


def read_file(file: Path) -> dict[str, str]:
    """Read a YAML file of choices by the ids of their questions, as `alta-mock check --write-assume` writes it.

    Raises:
        MockError: It cannot be read or has another form; names the line and the remedy.
    """
    document = Document.read(file)
    if not isinstance(document.value, dict):
        raise MockError(
            f"{file}:1: not a mapping of choices; write a line for each, for example list-order: newest-first"
        )
    chosen = {name: _WORDS.get(str(choice), str(choice)) for name, choice in document.value.items()}
    for name, choice in chosen.items():
        try:
            checked({name: choice})
        except MockError as error:
            raise MockError(f"{file}:{document.line([name])}: {error}") from error
    return chosen


_WORDS = {"True": "yes", "False": "no"}
"""What YAML makes of the choices `yes` and `no` without quotes."""


def _short(value: object) -> str:
    """Return the beginning of what somebody wrote, for a message."""
    text = str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\u2026"


def parse(texts: Iterable[str]) -> dict[str, str]:
    """Read choices in the form `id=choice`, defaults included; a later one replaces an earlier one.

    Raises:
        MockError: One has another form, or is unknown.
    """
    chosen = {}
    for text in texts:
        name, equals, choice = text.partition("=")
        if not equals or "," in choice:
            example = "list-order=newest-first, and several with spaces between them"
            raise MockError(f"{_short(text)!r} is not a choice; write id=choice, for example {example}")
        chosen[name.strip()] = choice.strip()
    return checked(chosen, keep_defaults=True)


def overlay_of(chosen: Mapping[str, str]) -> list[Any]:
    """Return the actions of the overlays of choices."""
    if not chosen:
        return []
    known = switches()
    choices = [choice for name, wanted in chosen.items() for choice in known[name].choices if choice.id == wanted]
    return [action for choice in choices for action in choice.overlay]
