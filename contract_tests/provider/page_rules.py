"""Rules about pages of lists, and the procedures that read them.

https://docs.altahq.com/api-reference/pagination - The order of a list, the form of a cursor, the size of a page below
its limit, and whether there is a previous cursor, are open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from contract_tests.provider.discovery import lists
from contract_tests.provider.probes import NotExercised
from contract_tests.provider.rule import Rule
from contract_tests.provider.session import Session
from contract_tests.provider.wire import ACCEPTED, Request, Response
from contract_tests.sources import PAGES
from mock_server.contract.operation import Operation

MOST_PAGES = 8  # of one walk; a list may be long
SIZES = (1, 3, 7)
MOST_VALUES = 4  # of a filter that are tried
LARGEST = 100

RULES: tuple[Rule, ...] = tuple(
    Rule(name, statement, PAGES)
    for name, statement in {
        "pages-are-whole": "Pages of any size repeat no object and leave none out; the cursor alone continues.",
        "page-size": "A page has at most as many objects as its limit says, 10 without a limit.",
        "defaults-count": "A parameter that is left out has its default: the page is the one of that value.",
        "has-more": "A page has a next cursor if hasMore is true, and only then.",
        "previous-returns": "The previous cursor of a page leads to the page before it.",
        "filters-hold": "A filter returns all objects that match, and no others, on every page.",
        "cursors-are-checked": "A cursor that is malformed, or of another list or account, is refused.",
    }.items()
)
PAGING = tuple(rule.id for rule in RULES)

Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and the request for it."""

    request: Request
    response: Response

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The objects; none if the response has another form."""
        found = self.response.json.get("data") if isinstance(self.response.json, dict) else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def ids(self) -> list[str]:
        """The ids of the objects, as texts, whatever they are."""
        return [str(one.get("id")) for one in self.objects]

    def member(self, name: str) -> Any:
        """Return a member of the body; None without one."""
        return self.response.json.get(name) if isinstance(self.response.json, dict) else None


def read(session: Session, operation: Operation, query: Query, token: str = "") -> Page:
    """Return one page of a list.

    Raises:
        NotExercised: It is refused; another rule says why that is wrong.
    """
    make = session.make.of(operation)
    request = make.request(path=f"{make.path()}?{urlencode(query)}" if query else None, token=token)
    response = session.send_patiently(request)
    if response.status != ACCEPTED:
        raise NotExercised(f"{operation.id} is answered {response.status}")
    return Page(request, response)


def walk(
    session: Session, operation: Operation, query: Query, token: str = "", most: int = MOST_PAGES
) -> Iterator[Page]:
    """Yield the pages of a list, as the vendor's sample reads them: from the second on by the cursor alone."""
    page = read(session, operation, query, token)
    yield page
    for _ in range(most - 1):
        cursor = page.member("next")
        if not (page.member("hasMore") is True and isinstance(cursor, str)):
            return
        page = read(session, operation, {"cursor": cursor}, token)
        yield page


def measure(session: Session) -> None:
    """Read all lists."""
    missing = []
    cursors: list[tuple[Operation, str]] = []
    for operation in lists():
        if session.options.about(operation.id) and session.report.serves(operation.id):
            try:
                cursors += [(operation, cursor) for cursor in _measure_list(session, operation)[:1]]
            except NotExercised as error:
                missing.append(str(error))
    for operation, cursor in cursors:
        _judge_cursors(session, operation, cursor, [text for other, text in cursors if other != operation][:1])
    if missing:
        raise NotExercised("; ".join(missing))


def _measure_list(session: Session, operation: Operation) -> list[str]:
    """Judge the pages of a list, and return its cursors."""
    whole = list(walk(session, operation, {"limit": LARGEST}))
    _judge_sizes(session, operation, whole, LARGEST)
    usual = read(session, operation, {})
    _judge_sizes(session, operation, [usual], 10)
    for parameter in operation.parameters["query"]:
        if parameter.default is not None:
            named = read(session, operation, {parameter.name: parameter.default})
            got, wanted = (f"{len(page.ids)} objects, hasMore {page.member('hasMore')}" for page in (usual, named))
            right = (usual.ids, usual.member("hasMore")) == (named.ids, named.member("hasMore"))
            value = f"{parameter.name}={parameter.default}"
            _judge(session, operation, "defaults-count", usual, right, got, f"{wanted}, as with {value}")
    known, cursors = [one for page in whole for one in page.ids], []
    for size in SIZES:
        pages = list(walk(session, operation, {"limit": size}))
        _judge_sizes(session, operation, pages, size)
        _judge_seams(session, operation, pages, size, known)
        cursors += [page.member("next") for page in pages if isinstance(page.member("next"), str)]
        if size > 1 and len(pages) > 1:
            _judge_previous(session, operation, pages)
    _judge_filters(session, operation, [one for page in whole for one in page.objects])
    return cursors


def _judge_sizes(session: Session, operation: Operation, pages: list[Page], limit: int) -> None:
    for page in pages:
        _judge(
            session,
            operation,
            "page-size",
            page,
            len(page.ids) <= limit,
            f"{len(page.ids)} objects",
            f"at most {limit}",
        )
        more, cursor = page.member("hasMore"), page.member("next")
        right = isinstance(cursor, str) == (more is True)
        _judge(session, operation, "has-more", page, right, f"hasMore {more}, next {cursor}", "both, or neither")


def _judge_seams(session: Session, operation: Operation, pages: list[Page], size: int, known: list[str]) -> None:
    walked = [one for page in pages for one in page.ids]
    complete = pages[-1].member("hasMore") is not True
    right = walked == (known if complete else known[: len(walked)])
    got = f"{len(walked)} objects, {len(set(walked))} of them different"
    wanted = f"{len(known) if complete else len(walked)} objects as in pages of {LARGEST}"
    _judge(session, operation, "pages-are-whole", pages[-1], right, f"{got}, in {len(pages)} pages of {size}", wanted)


def _judge_previous(session: Session, operation: Operation, pages: list[Page]) -> None:
    for before, page in pairwise(pages):
        cursor = page.member("previous")
        if isinstance(cursor, str):
            back = read(session, operation, {"cursor": cursor})
            right = back.ids == before.ids
            _judge(session, operation, "previous-returns", back, right, f"{back.ids}"[:80], f"{before.ids}"[:80])


def _judge_filters(session: Session, operation: Operation, objects: list[dict[str, Any]]) -> None:
    """Judge each filter that is a member of the objects, by some of the values that they have."""
    for name in (parameter.name for parameter in operation.parameters["query"]):
        values = dict.fromkeys(one[name] for one in objects if isinstance(one.get(name), str))
        for value in list(values)[:MOST_VALUES]:
            wanted = [str(one.get("id")) for one in objects if one.get(name) == value]
            pages = list(walk(session, operation, {name: value, "limit": 2}))
            found = {str(one.get(name)) for page in pages for one in page.objects}
            ids = [one for page in pages for one in page.ids]
            complete = pages[-1].member("hasMore") is not True
            right = found == {value} and ids == (wanted if complete else wanted[: len(ids)])
            got = f"{len(ids)} objects, of {len(found)} different {name}"
            _judge(session, operation, "filters-hold", pages[-1], right, got, f"{len(wanted)} objects by {name}")


def _judge_cursors(session: Session, operation: Operation, cursor: str, others: list[str]) -> None:
    """Judge the responses to cursors that are not of this list."""
    make, other = session.make.of(operation), session.target.other_account_token
    sent = {
        "a word": ("x", ""),
        "a cursor without its end": (cursor[:-4], ""),
        "a cursor and a letter": (cursor + "x", ""),
    }
    if others:
        sent["a cursor of another list"] = (others[0], "")
    sent |= {"a cursor of another account": (cursor, other)} if other else {}
    sent["a cursor of 20,000 characters"] = ("x" * 20_000, "")
    for what, (text, token) in sent.items():
        request = make.request(path=f"{make.path()}?{urlencode({'cursor': text})}", token=token)
        response = session.send_patiently(request, fresh=True, silence_allowed=len(text) > 5000)  # noqa: PLR2004 - a long path
        right = 400 <= response.status < 500 or (len(text) > 5000 and not response.status)  # noqa: PLR2004 - refusals
        page = Page(request, response)
        _judge(session, operation, "cursors-are-checked", page, right, f"{what}: {response}", "a refusal (4xx)")


def _judge(  # noqa: PLR0913, PLR0917 - a judgement has these parts
    session: Session,
    operation: Operation,
    rule: str,
    page: Page,
    right: bool,  # noqa: FBT001 - the judgement
    got: str,
    wanted: str,
) -> None:
    session.report.exercised(rule, operation.id)
    if not right:
        session.report.add_breach(rule, "a page", page.request, got, wanted, operation.id)
