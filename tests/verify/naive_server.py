"""The Alta API as somebody writes it in an hour from the vendor's page, for their own test: plausible, but wrong."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from flask import Flask, jsonify, request

TOKEN = "secret"
CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


def naive_server(most: int = 10) -> Flask:
    """Return the application, with a limit of requests a minute."""
    app = Flask("naive")
    calls: deque[float] = deque()

    @app.post("/v1/campaigns/<campaign>/prospects")
    def add(campaign: str) -> Any:  # noqa: PLR0911 - as one writes it
        if TOKEN not in request.headers.get("Authorization", ""):
            return jsonify(error="Unauthorized", message="Invalid API token"), 401
        while calls and calls[0] < time.monotonic() - 60:
            calls.popleft()
        if len(calls) >= most:
            return jsonify(error="RateLimited", message="Slow down"), 429
        calls.append(time.monotonic())
        if campaign != CAMPAIGN:
            return jsonify(error="NotFound", message="Resource not found"), 404
        body = request.get_json(force=True)
        if not body["data"] or len(body["data"]) > 20:
            return jsonify(error="ValidationError", message="Invalid request body"), 400
        for record in body["data"]:
            full = record.get("firstName") and record.get("lastName") and record.get("company")
            if not (record.get("email") or record.get("linkedinUrl") or full):
                return jsonify(error="ValidationError", message="Invalid request body"), 422
            if any(len(str(value).encode()) > 255 for value in record.values()):
                return jsonify(error="ValidationError", message="Too long"), 400
        return jsonify(success=True)

    return app
