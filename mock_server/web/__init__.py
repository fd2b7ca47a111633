"""The live page at `/` and the API reference at `/docs`.

The pages contain no state of the mock: their scripts request it from the control API, so that whoever may not use that
API sees nothing here either.
"""

from __future__ import annotations

from mock_server.web.views import Pages

__all__ = ["Pages"]
