"""Names that are nearly a known one: equal but for case, hyphens and underscores, or much alike."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


def plain(name: str) -> str:
    """Return a name without what differs between conventions."""
    return re.sub("[-_ ]", "", name).lower()


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known name that is most like another; None if none is at least as like as difflib's ratio."""
    by_plain = {plain(one): one for one in known}
    close = difflib.get_close_matches(plain(name), by_plain, n=1, cutoff=likeness)
    return by_plain[close[0]] if close else None
