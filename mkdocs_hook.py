"""A MkDocs hook for pages outside of docs/, and for links that work both in the repository and on the site.

Every file of the site has its path in the repository, so that relative links work. Pages of docs/ keep their address.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

OUTSIDE = [
    "*.md",
    "LICENSE",
    "examples/*.*",
    "examples/pytest-project/*.py",
    "examples/*/src/*.ts",
    "examples/docker/*",
]
"""Files outside of docs/ that are part of the site: pages, and files that they link to."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Give each file of docs/ its path in the repository, and add the files of `OUTSIDE`."""
    docs = Path(config.docs_dir)
    root = docs.parent

    def of_repository(path: Path, address: str | None) -> File:
        name = path.relative_to(root).as_posix()
        return File(name, str(root), config.site_dir, config.use_directory_urls, dest_uri=address)

    found = [
        of_repository(docs / file.src_uri, file.dest_uri) if file.src_dir == config.docs_dir else file for file in files
    ]
    for path in sorted(path for pattern in OUTSIDE for path in root.glob(pattern)):
        address = "README.html" if path == root / "README.md" else None  # otherwise MkDocs makes it the first page
        found.append(of_repository(path, address))
    return Files(found)
