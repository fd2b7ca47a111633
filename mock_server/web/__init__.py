"""The page at `/` and the API reference at `/docs`: what a browser is given.

The pages hold nothing of the fake's state: their scripts ask the control API for it, so that whoever may not use that
sees nothing here either.
"""

from __future__ import annotations

from mock_server.web.views import Pages

__all__ = ["Pages"]
