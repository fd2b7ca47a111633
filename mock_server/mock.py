"""`AltaMock`: the fake with its transports."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Self

from mock_server.fake import Fake

if TYPE_CHECKING:
    from flask import Blueprint, Flask
    from responses import RequestsMock

    from mock_server.transports.live_server import LiveServer


class AltaMock(Fake):
    """The Alta API, in this process.

    ```python
    with AltaMock(rate_limit="10/60s") as mock, mock.serve() as server:
        requests.post(f"{server.url}/campaigns/{campaign}/prospects", ...)
        mock.clock.advance(60)
    ```

    The arguments are those of `Fake`. Each transport is imported when it is used.
    """

    def __enter__(self) -> Self:
        """Return the mock itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connections of the store; a server that was started ends with its own `with`."""
        self.store.close()

    def responses(self) -> AbstractContextManager[RequestsMock]:
        """Return a context in which this fake answers what `requests` sends to `base_url`, without a socket.

        Its value takes responses of your own, which come first, and passthroughs.

        Raises:
            MockError: The library `responses` is not installed.
        """
        from mock_server.transports.responses import patched  # noqa: PLC0415 - only those who use it need the library

        return patched(self)

    def serve(self, host: str = "127.0.0.1", port: int = 0, control_token: str | None = None) -> LiveServer:
        """Return a server on a real socket, in a thread, to be used as a context manager.

        Args:
            host: An address of this machine; an address other than loopback needs a control token.
            port: 0 is any free port.
            control_token: What other machines must send to use the control API, in place of the setting.

        Raises:
            MockError: The address cannot be used; raised when the context is entered.
        """
        from mock_server.transports.live_server import LiveServer  # noqa: PLC0415 - only those who serve pay for it

        return LiveServer(self, host, port, control_token or self.config.control_token)

    @cached_property
    def app(self) -> Flask:
        """The fake as a Flask application."""
        from mock_server.transports.wsgi import create_app  # noqa: PLC0415 - Flask is imported only when it is used

        return create_app(self)

    def blueprint(self) -> Blueprint:
        """Return a Flask blueprint that serves the fake in another application, also below a `url_prefix`."""
        from mock_server.transports.wsgi import create_blueprint  # noqa: PLC0415 - as above

        return create_blueprint(self)
