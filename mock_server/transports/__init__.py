"""The ways requests come in: ASGI over a socket, WSGI (Flask), and `responses` for `requests` in this process."""
