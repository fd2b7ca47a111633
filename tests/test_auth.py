"""Authentication: every mistake is the same 401, and no response repeats the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import FOREIGN_CAMPAIGN, error_of, prospects_path, why

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server.messages.http import ApiReply

    Send = Callable[..., ApiReply]

JSON = ("content-type", "application/json")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([], "token-missing"),
        ([""], "token-scheme"),
        (["Bearer"], "token-scheme"),
        (["Bearer "], "token-scheme"),
        (["test-token"], "token-scheme"),
        (["Basic dGVzdC10b2tlbg=="], "token-scheme"),
        (["Bearertest-token"], "token-scheme"),
        (["Bearer\ttest-token"], "token-scheme"),
        (["Bearer test-token x"], "token-scheme"),
        (["Bearer test-token, Bearer test-token"], "token-scheme"),
        (["Bearer wrong-token"], "token-unknown"),
        (["Bearer test-toke"], "token-unknown"),
        (["Bearer test-token-"], "token-unknown"),
        (["Bearer TEST-TOKEN"], "token-unknown"),
        (['Bearer "test-token"'], "token-unknown"),
        (["Bearer test-token-expired"], "token-expired"),
        (["Bearer test-token", "Bearer test-token"], "token-doubled"),
        (["Bearer \xff\xfe"], "token-unknown"),
        (["Bearer " + "x" * 60_000], "token-unknown"),
    ],
)
def test_a_request_needs_exactly_one_valid_token(judge: Send, values: list[str], rule: str) -> None:
    """Otherwise there is the vendor's 401 with a challenge, before any other check (assumption authorization-twice)."""
    headers = (JSON, *(("authorization", value) for value in values))
    reply = judge(b"not json", token=None, headers=headers, path=prospects_path("not-a-uuid"))

    assert (reply.status, error_of(reply)) == (401, "Unauthorized")
    assert reply.body == b'{"error":"Unauthorized","message":"Invalid API token"}'
    assert reply.header("WWW-Authenticate") == "Bearer"
    assert why(reply).startswith(f"{rule} header/authorization: ")
    assert not any(value and value in str(reply.headers) for value in ("test-toke", "wrong", "xxx", "dGVz"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("gap", [" ", "   "])
def test_the_scheme_may_be_in_either_case(judge: Send, scheme: str, gap: str) -> None:
    """RFC 9110, 11, says so, and allows any number of spaces."""
    assert judge(token=None, headers=(JSON, ("authorization", f"{scheme}{gap}test-token"))).status == 200


@pytest.mark.parametrize(
    ("accounts", "rule"),
    [
        ([], "account-missing"),
        ([""], "account-unreachable"),
        (["initech"], "account-unreachable"),
        (["ACME"], "account-unreachable"),
        (["acme,globex"], "account-unreachable"),
        (["acme", "globex"], "account-doubled"),
        (["acme", "acme"], "account-doubled"),
    ],
)
def test_a_user_of_two_accounts_must_name_one(judge: Send, accounts: list[str], rule: str) -> None:
    """A missing account is documented as a 401; the rest is assumption account-header."""
    reply = judge(token="multi-token", headers=(JSON, *(("x-account-id", name) for name in accounts)))

    assert (reply.status, error_of(reply)) == (401, "Unauthorized")
    assert why(reply).startswith(f"{rule} header/x-account-id: ")


def test_the_named_account_decides_what_exists(judge: Send) -> None:
    """The same user finds a campaign in one account but not in the other."""
    globex = (JSON, ("x-account-id", "globex"))
    acme = (JSON, ("x-account-id", "acme"))

    assert judge(token="multi-token", headers=globex, path=prospects_path(FOREIGN_CAMPAIGN)).status == 200
    assert judge(token="multi-token", headers=acme, path=prospects_path(FOREIGN_CAMPAIGN)).status == 404


def test_a_user_of_one_account_may_name_it_and_no_other(judge: Send) -> None:
    """The header is optional for such a user, but it is checked."""
    assert judge(headers=(JSON, ("x-account-id", "acme"))).status == 200
    assert judge(headers=(JSON, ("x-account-id", "globex"))).status == 401
