"""Rules about refusals and trouble: what must not be sent again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from mock_server.journal.entries import Entry
from mock_server.journal.rule import ERRORS, PRACTICE, Breach, Look, rule
from mock_server.journal.traffic import FOR_GOOD, SLACK, TOO_MANY, carried_out, key_of, records_of, seconds_between

MOST_TRIES = 3
"""Times that a batch may be sent again after a 5xx."""

MEANINGFUL = {"authorization", "x-account-id", "content-type", "content-encoding"}
"""Headers that may turn a refusal into a success."""


@rule(ERRORS, of="traffic", finding=True)
def does_not_repeat_what_was_refused() -> Look:
    """A request that was refused with 400, 401, 403, 404 or 413 is not sent again unchanged."""
    refused: dict[Any, tuple[int, int, bool]] = {}

    def look(entry: Entry) -> list[Breach] | None:
        request = entry.unredacted
        headers = tuple(pair for pair in request.headers if pair[0] in MEANINGFUL)
        key = (request.method, request.path, request.query, request.body, headers)
        before = refused.pop(key, None)
        if entry.status in FOR_GOOD:
            refused[key] = entry.number, entry.status, entry.injected is None
        if before is None:
            return [] if entry.status in FOR_GOOD else None
        number, status, really = before
        if really and carried_out(entry):  # what was missing has come to be
            return []
        text = f"sent the same request again after a {status}; it cannot succeed, so stop and report it"
        return [Breach(text, (number, entry.number))]

    return look


@rule(ERRORS, of="traffic")
def stops_when_nothing_can_succeed() -> Look:
    """After a 401, 403 or 404 no other body is sent there: token or path are wrong for all of them."""
    refused: dict[Any, tuple[int, int, bytes | None]] = {}

    def look(entry: Entry) -> list[Breach] | None:
        senders = (entry.unredacted.all(name) for name in ("authorization", "x-account-id"))
        key = (entry.operation, entry.unredacted.path, *map(tuple, senders))
        known = refused.get(key)
        if known and known[2] != entry.unredacted.body:
            number, status, _ = refused.pop(key)
            text = f"went on with other records after a {status}, which they would get as well; stop"
            return [Breach(text, (number, entry.number))]
        if entry.status in {401, 403, 404} and not any(one.place == "body" for one in entry.violations):
            refused.setdefault(key, (entry.number, entry.status, entry.unredacted.body))
            return []
        return None

    return look


@rule("a 5xx does not say that nothing was stored", PRACTICE, "warning", of="traffic", finding=True, timed=True)
def careful_with_5xx() -> Look:
    """After a 5xx the same batch or page is not asked for again within a second, nor more than three times."""
    tries: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], Entry] = {}

    def look(entry: Entry) -> list[Breach] | None:
        if entry.batch is None and entry.method != "GET":
            return None
        found = []
        key = entry.unredacted.path, key_of(records_of(entry)) if entry.batch else entry.unredacted.query
        if before := last.get(key):
            tries[key] += 1
            what = "a batch" if entry.batch else "a request"
            waited = seconds_between(before, entry)
            if waited < 1 - SLACK or tries[key] > MOST_TRIES:
                text = f"sent {what} again {waited:.1f} s after a {before.status}, try {tries[key]}"
                found.append(Breach(f"{text}; pause, and end after some", (before.number, entry.number)))
        is_5xx = entry.status >= 500 and entry.outcome.reply.fault is None  # noqa: PLR2004 - the errors of a server
        if is_5xx:
            last[key] = entry
        elif entry.status != TOO_MANY:
            last.pop(key, None)
            tries.pop(key, None)
        return found if before or is_5xx else None

    return look


def _on_followed(text: str, wrong: Callable[[Entry, bool], bool]) -> Look:
    """Return a look that judges each request that follows a redirect, by whether that leads to another host."""
    targets: dict[tuple[str, str], tuple[int, str]] = {}

    def look(entry: Entry) -> list[Breach] | None:
        host, path = "".join(entry.unredacted.all("host")[:1]), entry.unredacted.path
        number, before = targets.get((host, unquote(path)), (entry.number, host))
        followed = number != entry.number and wrong(entry, host != before)
        location = entry.outcome.reply.header("Location")
        if location is not None and entry.status // 100 == 3:  # noqa: PLR2004 - the redirects of HTTP
            target = urlsplit(urljoin(f"http://{host}{path}", location))
            if (target.netloc, unquote(target.path)) != (host, unquote(path)):
                targets[target.netloc, unquote(target.path)] = entry.number, host
        if not targets:
            return None
        return [Breach(text, (number, entry.number))] if followed else []

    return look


def _has_token(entry: Entry) -> bool:
    return bool(entry.unredacted.all("authorization"))


@rule("whoever a redirect names could use the token", PRACTICE, of="traffic")
def takes_no_token_elsewhere() -> Look:
    """A redirect to another host is not followed with the token."""
    text = "followed a redirect to another host with the token; turn redirects off"
    return _on_followed(text, lambda entry, elsewhere: elsewhere and _has_token(entry))


@rule("the API documents no redirect, so the base URL is probably wrong", PRACTICE, "hint", of="traffic")
def followed_redirect() -> Look:
    """No redirect is followed, even where the token is safe."""
    text = "followed a redirect; correct the base URL"
    return _on_followed(text, lambda entry, elsewhere: not (elsewhere and _has_token(entry)))
