"""Every setting of the fake, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os


@dataclass(frozen=True, slots=True)
class Config:
    """How a fake is set up; the keywords of `AltaMock`, the flags of `alta-mock serve`.

    Attributes:
        data: A seed file in place of the bundled one; a folder `responses` beside it replaces recorded answers.
        openapi: A published document in place of the bundled one.
        overlay: An overlay in place of the bundled one.
        rate_limit: In place of every limit that an operation has in the contract: `10/60s`, or `off`.
        account_rate_limit: In place of the contract's limit over all operations: `100/60s`, or `off`.
        why: Whether refusals say why in the header `X-Alta-Mock-Why`.
        store: URL of where the state is kept: `memory`.
    """

    data: str | os.PathLike[str] | None = None
    openapi: str | os.PathLike[str] | None = None
    overlay: str | os.PathLike[str] | None = None
    rate_limit: str | None = None
    account_rate_limit: str | None = None
    why: bool = True
    store: str = "memory"
