"""What the vendor's documentation leaves open, and what the fake does, from `assumptions.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.contract import bundled_files
from mock_server.contract.documents import Document


@dataclass(frozen=True, slots=True)
class Assumption:
    """One question that the vendor's documentation does not answer."""

    id: str
    question: str
    ours: str
    why: str


def load() -> list[Assumption]:
    """Return every assumption, in the order of the file."""
    return [
        Assumption(**entry) for entry in Document.read(bundled_files.package_file("contract/assumptions.yaml")).value
    ]
