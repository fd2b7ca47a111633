"""What MkDocs lacks for us: pages that live outside docs/, and links that work in the repository as on the site.

Every file of the site bears its path in the repository, which links are relative to. A page of docs/ keeps its address.
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
"""Files that are part of the site although they are not in docs/: pages, and what they link to."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Give each file of docs/ its path from the top, and add what is outside."""
    docs = Path(config.docs_dir)
    root = docs.parent

    def of_repository(path: Path, address: str | None) -> File:
        name = path.relative_to(root).as_posix()
        return File(name, str(root), config.site_dir, config.use_directory_urls, dest_uri=address)

    found = [
        of_repository(docs / file.src_uri, file.dest_uri) if file.src_dir == config.docs_dir else file for file in files
    ]
    for path in sorted(path for pattern in OUTSIDE for path in root.glob(pattern)):
        address = "README.html" if path == root / "README.md" else None  # MkDocs would make it the first page
        found.append(of_repository(path, address))
    return Files(found)
