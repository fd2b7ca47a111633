"""Where the bundled contract and fixtures are: in the installed package, or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def data(name: str) -> Path:
    """Return the path of a bundled file or folder by its name in the checkout, for example `openapi.yaml`."""
    installed = _PACKAGE / "_data"
    return (installed if installed.is_dir() else _PACKAGE.parent) / name


def package_file(name: str) -> Path:
    """Return the path of a file of the package by its path in it, for example `store/seed.schema.yaml`."""
    return _PACKAGE / name
