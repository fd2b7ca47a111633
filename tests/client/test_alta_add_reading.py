"""`alta-add` reads: the campaign by its name, who is opted out, and whether everybody has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_server.messages.http import ApiRequest
from mock_server.mock import AltaMock
from tests.client.test_alta_add import Around, add, around, emails, people, script, server, unlimited
from tests.conftest import CAMPAIGN, SECOND_CAMPAIGN

if TYPE_CHECKING:
    from pathlib import Path

    from mock_server.messages.outcome import Outcome

__all__ = ["add", "around", "people", "script", "server", "unlimited"]  # fixtures


def opt_out(mock: AltaMock, *identifiers: tuple[str, str]) -> None:
    """Opt people out."""
    for kind, identifier in identifiers:
        mock.create("opt_outs", account="acme", identifierType=kind, identifier=identifier)


def test_a_campaign_is_found_by_its_name(
    add: Any, people: Path, unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a later page, and in place of the one that the environment names."""
    for number in range(120):
        unlimited.create("campaign", account="acme", name=f"Campaign {number}")
    wanted = unlimited.create("campaign", account="acme", name="Autumn")["id"]
    done = add(people, "--campaign-name", "Autumn")

    assert (done.code, len(emails(unlimited, wanted)), emails(unlimited)) == (0, 50, [])
    monkeypatch.delenv("ALTA_CAMPAIGN_ID")
    assert add(people, "--campaign-name", "Autumn").code == 0


def test_a_name_must_mean_one_campaign(add: Any, people: Path, unlimited: AltaMock) -> None:
    """None, or two, is a mistake; nothing is added."""
    first, second = (unlimited.create("campaign", account="acme", name="Autumn")["id"] for _ in range(2))
    for name, says in (("autumn", "no campaign is called 'autumn'"), ("Autumn", f"one of {first}, {second}")):
        done = add(people, "--campaign-name", name)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err
    assert {entry.method for entry in unlimited.requests} == {"GET"}


def test_who_is_opted_out_is_left_out(add: Any, unlimited: AltaMock, tmp_path: Path) -> None:
    """By each contact, in any case of letters; the batches are full, and the count is right when it goes on."""
    file = tmp_path / "people.csv"
    rows = [f"p{number}@example.com,," for number in range(45)]
    rows[3], rows[30] = ",HTTPS://linkedin.example/ADA,", ",,+1 555 0100"
    file.write_text("email,linkedinUrl,phone\n" + "\n".join(rows) + "\n")
    opt_out(
        unlimited, ("email", "P7@example.com"), ("linkedin", "https://linkedin.example/ada"), ("phone", "+1 555 0100")
    )
    opt_out(unlimited, ("sms", "p8@example.com"))  # another type
    done = add(file, "--skip-opted-out")

    assert (done.code, done.out.strip()) == (0, "42 of 45 prospects added, 3 skipped")
    assert emails(unlimited) == [f"p{number}@example.com" for number in range(45) if number not in {3, 7, 30}]
    sizes = [len(entry.unredacted_body.records or ()) for entry in unlimited.requests if entry.adds_prospects]
    assert sizes == [20, 20, 2]
    opt_out(unlimited, ("email", "p0@example.com"))  # somebody who was added before
    again = add(file, "--skip-opted-out")
    assert (again.code, "there is nothing left to do" in again.out) == (0, True)


def test_a_file_of_opted_out_people_adds_nobody(add: Any, people: Path, unlimited: AltaMock) -> None:
    """And is done."""
    opt_out(unlimited, *(("email", f"p{number}@example.com") for number in range(50)))
    done = add(people, "--skip-opted-out")

    assert (done.code, done.out.strip()) == (0, "0 of 50 prospects added, 50 skipped")
    assert not any(entry.adds_prospects for entry in unlimited.requests)


def test_an_unknown_batch_counts_who_is_left_out(add: Any, people: Path, unlimited: AltaMock) -> None:
    """It is listed without them, and sent again without them."""
    opt_out(unlimited, ("email", "p3@example.com"))
    unlimited.fault("connection_reset", operation="addProspectsToCampaign")
    done = add(people, "--skip-opted-out")

    assert (done.code, "lines 2 to 22 may or may not" in done.err, "p3@" in done.err) == (1, True, False)
    assert add(people, "--skip-opted-out", "--resend").out.strip() == "49 of 50 prospects added, 1 skipped"
    assert len(emails(unlimited)) == 49


def test_everybody_is_read_back(add: Any, people: Path, waited: list[float]) -> None:
    """After the time to settle; also by a run that has nothing to add."""
    done = add(people, "--verify", "--settle", "90")

    assert (done.code, done.out.strip()) == (0, "50 of 50 prospects added; all were read back")
    assert (sum(waited), "waiting 90 s before reading back" in done.err) == (90, True)
    assert (
        add(people, "--verify").out.strip()
        == "50 of 50 prospects added; there is nothing left to do; all were read back"
    )


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the command, which take no time."""
    found: list[float] = []
    monkeypatch.setattr("alta_client.add.run.Waits.sleep", lambda _self, seconds: found.append(seconds))
    return found


def test_who_is_missing_is_listed(add: Any, around: Around, tmp_path: Path) -> None:
    """With the line; a person with only a phone cannot be known."""
    file = tmp_path / "people.csv"
    file.write_text("email,firstName,lastName,company,phone\nA@x.com,,,,\n,Ada,Byron,Acme,\nb@x.com,,,,\n,,,,+1\n")

    def forgets(request: ApiRequest, transport: str) -> Outcome:
        body = (request.body or b"").replace(b"b@x.com", b"c@x.com")
        return around.handle(ApiRequest(request.method, request.path, request.query, request.headers, body), transport)

    around.replacement = forgets
    done = add(file, "--verify")

    assert done.code == 1, done.err
    summary = "4 of 4 prospects added; 1 are not in the campaign"
    assert done.out.strip() == f"{summary}, except 1 with only a phone, which persons do not show", done.err
    assert f"{file}:4: b@x.com" in done.err


def test_a_campaign_is_read_back_not_the_account(add: Any, people: Path, unlimited: AltaMock) -> None:
    """Whoever is in another campaign only is missing."""
    add(people, "--campaign", SECOND_CAMPAIGN)
    people.write_text("email\np1@example.com\n")
    people.with_name("people.csv.alta-add.json").unlink()
    unlimited.next(200, operation="addProspectsToCampaign")

    assert add(people, "--verify", "--campaign", CAMPAIGN).code == 1


def test_reading_back_may_fail(add: Any, people: Path, unlimited: AltaMock) -> None:
    """The summary says what is added all the same."""
    unlimited.next(401, operation="listProspects")
    done = add(people, "--verify")

    assert (done.code, len(emails(unlimited))) == (1, 50)
    assert "50 of 50 prospects added, but not read back; run again with --verify" in done.err
