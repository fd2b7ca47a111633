"""Who may use the control API: this machine by one of its own names, or whoever has the control token.

Web pages of another origin never may; writes must be `application/json`, which a form cannot send; there is no CORS.
"""

from __future__ import annotations

import hmac
import ipaddress
import re

from mock_server.messages.errors import MockError
from mock_server.messages.http import JSON, ApiRequest

_LOOPBACK_HOST = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)


class Refused(Exception):
    """The control API refuses a request; the arguments are status, identifier and text."""


class Guard:
    """Refuses requests to the control API; without a token, all of other machines.

    Raises:
        MockError: No header could carry the token.
    """

    def __init__(self, token: str | None) -> None:
        if token and not re.fullmatch("[!-~]+", token):
            raise MockError("the control token cannot be sent in a header; use printable ASCII without spaces")
        self._token = token

    def check_sender(self, request: ApiRequest, peer: str) -> None:
        """Raise Refused if the sender, at this IP address, may not use the control API."""
        host, origins = host_of(request), request.all("origin")
        if any(origin.lower() not in {f"http://{host}", f"https://{host}"} for origin in origins):
            raise Refused(403, "Forbidden", "a web page of another origin may not use the control API")
        if set(request.all("sec-fetch-site")) - {"same-origin", "none"}:
            raise Refused(403, "Forbidden", "a web page of another site may not use the control API")
        if self._has_token(request):
            return
        if not is_loopback(peer):
            raise Refused(403, "Forbidden", self._why(request))
        if not _LOOPBACK_HOST.fullmatch(host):
            raise Refused(403, "Forbidden", "the control API answers as localhost or 127.0.0.1 only")

    def _why(self, request: ApiRequest) -> str:
        """Say what another machine lacks."""
        if not self._token:
            return "from another machine the control API needs a control token; set ALTA_MOCK_CONTROL_TOKEN"
        if request.all("authorization"):
            return "this is not the control token; send the value of ALTA_MOCK_CONTROL_TOKEN as a bearer token"
        return "from another machine the control API needs the control token; send Authorization: Bearer TOKEN"

    def _has_token(self, request: ApiRequest) -> bool:
        sent = request.all("authorization")
        if not self._token or len(sent) != 1:
            return False
        scheme, _, token = sent[0].partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token.encode())


def check_type(request: ApiRequest) -> None:
    """Raise Refused if the body may come from a form of a web page."""
    sent = request.all("content-type")
    if not (len(sent) == 1 and sent[0].partition(";")[0].strip().lower() == JSON):
        raise Refused(415, "UnsupportedMediaType", f"a write to the control API must be {JSON}")


def host_of(request: ApiRequest) -> str:
    """Return the header Host, empty unless it was sent exactly once."""
    sent = request.all("host")
    return sent[0].strip().lower() if len(sent) == 1 else ""


def is_loopback(address: str) -> bool:
    """Return whether an IP address is reachable only from this machine; of names, only localhost is."""
    try:
        return ipaddress.ip_address(address.split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        return address.lower() == "localhost"
