"""The command `alta-mock check`: its report, its exit codes, odd files, and the file of choices that it writes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract_tests.traffic import files
from contract_tests.traffic.captured import captured
from contract_tests.traffic.order import MOST_WAITING, in_order
from mock_server import AltaMock
from mock_server.cli.main import main
from mock_server.config import Config
from mock_server.contract.assumptions import read_file
from mock_server.messages.errors import MockError
from tests.traffic.conftest import DOCS_PAGE, add, archive, entry

Run = Callable[..., tuple[int, str, str]]

SECRETS = ("a-real-token", "session-0123456789", "key-0123456789", "Zm9vOmJhcg==", "query-0123456789")


READ = """
import os, sys, urllib.request as web
request = web.Request(os.environ["ALTA_BASE_URL"] + "/campaigns")
request.add_header("Authorization", "Bearer " + os.environ["ALTA_API_TOKEN"])
sys.exit("charset" in web.urlopen(request).headers["Content-Type"])
"""
"""Fails if the response names a charset."""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make an empty folder the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: None) -> Run:  # noqa: ARG001 - where it runs
    """Run the command in an empty folder; returns its exit code and what it printed."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["check", *map(str, words)])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def written(text: str | bytes, name: str = "traffic.har") -> Path:
    """Write a file."""
    file = Path(name)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_it_says_what_is_right_in_one_line(run: Run) -> None:
    """The first line sums up; the others say what was left out."""
    code, out, err = run(DOCS_PAGE)

    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "7 requests to the API (7 x 200): the recorded traffic keeps the contract"
    assert "        2  left out: to the host of the API, but to another path, such as a page" in out


def test_it_says_what_is_wrong_and_where(run: Run) -> None:
    """Rule, entry, pointer, what was got and wanted, the line of the contract, and what to do."""
    people = [{"data": [{"email": f"{n}@{at}.example"} for n in range(21)]} for at in range(5)]
    file = written(
        archive(
            [add(body=people[n], at=n, status=400, reply={"error": "ValidationError", "message": ""}) for n in range(5)]
        )
    )
    code, out, _ = run(file)
    lines = out.splitlines()

    assert code == 1
    assert lines[0].endswith("the recorded traffic breaks the contract; 1 mistake in what was sent")
    assert "maxItems (consumer, addProspectsToCampaign, 5 times)" in lines
    at = lines.index("maxItems (consumer, addProspectsToCampaign, 5 times)")
    assert lines[at + 1].startswith("  /data: got 21 items; wanted at most 20 [openapi.yaml:")
    assert lines[at + 2] == "  what to do: send at most 20 items"
    assert lines[at + 3].startswith("    entry 1: POST /v1/campaigns/")
    assert lines[at + 3].endswith("-> 400, 2026-02-01T00:00:00.000+00:00")
    assert lines[at + 6] == "    and others"


def test_an_interruption_shows_what_was_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the reading; the exit code is 130."""

    def interrupted(_: str) -> Iterator[object]:
        yield entry()
        raise KeyboardInterrupt

    monkeypatch.setattr("contract_tests.traffic.run.records", interrupted)
    code, out, _ = run("traffic.har")

    assert code == 130
    assert "interrupted: the rest of the traffic was not read" in out


def test_nothing_is_proven_without_a_response(run: Run) -> None:
    """The exit code is that of nothing proven."""
    code, out, _ = run(written(archive([entry(status=0)])))

    assert code == 3
    assert "nothing is proven" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "traffic.har is empty; write a HAR file"),
        ("<html>", "traffic.har is no recorded traffic"),
        (b"\x1f\x8b\x08", "it is compressed, so unpack it first"),
        ("4092:9:websocket;0:~", "mitmdump -n -r FILE --set hardump=traffic.har"),
        ('{"openapi": "3.1.0",\n "paths": {}}', "traffic.har is JSON, but no recorded traffic"),
        ('{"log": {"entries": []}}', "traffic.har: no requests in it"),
        ('{"info": {}, "item": []}', "traffic.har is JSON, but no recorded traffic"),
        ('{"log": {"entries": [7]}}', "traffic.har: 1 record, and no request to judge in it"),
        ("[{}]", "write its items as lines: jq -c '.[]' FILE"),
        (
            archive([entry(origin="https://user:geheim@example.com")]),
            "it has requests to https://example.com (1); name the API",
        ),
        (archive([entry(), entry()])[:-200], "traffic.har ends too early, after record 1 of it, near byte "),
        (
            archive([entry(), entry()]).replace('"request"', '"request" x', 1),
            "traffic.har is not valid JSON after record 0",
        ),
        (
            '{"method": "GET", "path": "/v1/campaigns", "status": 200}\n{"method"\n',
            "traffic.har:2, column 10: not valid JSON",
        ),
    ],
)
def test_an_unusable_file_is_one_line(run: Run, text: str | bytes, message: str) -> None:
    """It names the file, what is wrong and what to do; the exit code is 2."""
    code, out, err = run(written(text))

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert "geheim" not in err


def test_files_that_cannot_be_read(run: Run) -> None:
    """A missing one, and a folder."""
    assert run("missing.har")[::2] == (
        2,
        "alta-mock: cannot read missing.har: No such file or directory; name another file\n",
    )
    assert run(".")[0] == 2
    assert run("--base-url", "api.altahq.com", DOCS_PAGE)[::2] == (
        2,
        "alta-mock: 'api.altahq.com' is not a base URL; write for example https://api.altahq.com/v1\n",
    )


def test_standard_input_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With - as the name of the file; a byte order mark does not matter."""
    text = b"\xef\xbb\xbf" + DOCS_PAGE.read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert run("-")[0] == 0


def test_several_files_are_one_traffic(run: Run) -> None:
    """In the order of their time, and a mistake names its file."""
    refused = {"error": "TooManyRequests", "message": "Rate limit exceeded. Please retry after 60 seconds."}
    headers = {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "9",
        "RateLimit-Policy": "10;w=60",
    }
    later = written(archive([add({"email": "b@c.example"}, at=5)]), "later.har")
    earlier = written(
        archive([add(status=429, reply=refused, reply_headers={**headers, "Retry-After": "9"})]), "earlier.har"
    )
    code, out, _ = run(later, earlier)

    assert code == 1
    assert "    earlier.har entry 1: POST" in out
    assert "    later.har entry 1: POST" in out


def test_no_secret_is_shown(run: Run) -> None:
    """Neither tokens nor cookies nor keys, wherever they are, in any of the reports."""
    token, cookie, key, basic, query = SECRETS
    headers = {"Cookie": f"sid={cookie}", "X-Api-Key": key}
    leaked = {"error": token, "message": f"{cookie} {key}"}
    file = written(
        archive(
            [
                entry(path=f"/v1/{token}/x", status=404, reply=leaked, headers=headers),
                entry(path=f"/v1/campaigns?api_key={query}&x={token}", headers=headers),
                entry(method=cookie, status=405, reply=leaked, headers=headers),
                entry(headers={"Authorization": f"Basic {basic}"}, status=401, reply=leaked),
                entry(headers={"Authorization": token}, status=401, reply=leaked),
                add(body={"data": [{token: key, "email": 7, cookie: 1}]}, status=400, reply=leaked, headers=headers),
                add(body=f'{{"{token}": 1, "{token}": 2}}', status=400, reply=leaked),
                entry(path=f"/v1/campaigns/{key}", status=400, reply=leaked, headers=headers),
            ]
        )
    )
    code, out, err = run(file, "--assumptions", "--json", "r.json", "--junit", "r.xml", "--write-assume", "a.yaml")
    texts = [out, err, *(Path(name).read_text(encoding="utf-8") for name in ("r.json", "r.xml", "a.yaml"))]

    assert code == 1
    assert "token-nowhere-else" in out
    assert [secret for secret in SECRETS for text in texts if secret in text] == []


def test_settled_choices_are_written_and_served(run: Run) -> None:
    """The fake that reads the file assumes them."""
    charset = {"Content-Type": "application/json; charset=utf-8"}
    page = {"data": [{"objectType": "campaign", "createdAt": "2026-01-01T00:00:00.5Z"}], "hasMore": False}
    code, out, err = run(written(archive([entry(reply_headers=charset, reply=page)])), "--write-assume", "vendor.yaml")
    assumed = read_file(Path("vendor.yaml"))

    assert code == 1  # the object lacks members
    assert "settled charset=present (1 entry; the default is absent)" in out
    assert "alta-mock serve --assume-file vendor.yaml" in err
    assert assumed["charset"] == "present"
    assert AltaMock(assume_file="vendor.yaml").choices.chosen == {
        name: choice for name, choice in assumed.items() if name in {"charset", "time-form"}
    }
    assert AltaMock(assume_file="vendor.yaml", assume={"charset": "absent"}).choices.chosen == {
        "time-form": "milliseconds"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- list-order",
            "a.yaml:1: not a mapping of choices; write a line for each, for example list-order: newest-first",
        ),
        (
            "charset: present\nlist-order: newest",
            "a.yaml:2: list-order=newest is not a choice; choose one of oldest-first",
        ),
        ("# x\nlist-oder: newest-first", "a.yaml:2: unknown assumption 'list-oder'; did you mean list-order?"),
        ("charset: [present]", "a.yaml:1: charset=['present'] is not a choice"),
        ("charset: {", "a.yaml:"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_malformed_file_of_choices_names_its_line(text: str, message: str) -> None:
    """And what to do."""
    file = written(text, "a.yaml")

    with pytest.raises(MockError, match="^" + message.replace("[", r"\[").replace("?", r"\?").replace("(", r"\(")):
        AltaMock(assume_file=file)
    with pytest.raises(SystemExit) as ended:
        main(["exec", "--assume-file", str(file), "--", "true"])
    assert ended.value.code == 2


def test_choices_without_quotes_are_read(tmp_path: Path) -> None:
    """YAML makes True of yes, and a number of 404."""
    file = tmp_path / "a.yaml"
    file.write_text("prospects-too: yes\nwrong-method: 404\n", encoding="utf-8")

    assert read_file(file) == {"prospects-too": "yes", "wrong-method": "404"}


@pytest.mark.usefixtures("folder")
def test_the_variable_names_the_file_of_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a Flask application; --assume comes first, even with a default."""
    written("charset: present\n", "a.yaml")
    assert Config.from_environ({"ALTA_MOCK_ASSUME_FILE": "a.yaml"}).assume == {"charset": "present"}
    monkeypatch.setenv("ALTA_MOCK_ASSUME_FILE", "a.yaml")
    with pytest.raises(SystemExit) as ended:
        main(["exec", "--assume", "charset=absent", "--", sys.executable, "-c", READ])
    assert ended.value.code == 0


def test_records_far_out_of_order_are_held_back() -> None:
    """At most so many wait; one that is too late is marked, and the order of the others is right."""
    times = [*range(10, MOST_WAITING + 20), 0]
    records = [captured("x", at, entry(at=at)) for at in times]
    placed = list(in_order(records))

    assert [one.one.number for one in placed if one.late] == [0]
    assert [one.at for one in placed] == sorted(one.at for one in placed)


def test_a_file_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first record is there before the second part of the file is read."""
    file = tmp_path / "traffic.har"
    file.write_text(archive([entry() for _ in range(200)]), encoding="utf-8")
    read: list[int] = []
    whole = files._Source.readinto  # noqa: SLF001 - what is read is counted

    def readinto(source: files._Source, buffer: bytearray) -> int:
        read.append(whole(source, buffer))
        return read[-1]

    monkeypatch.setattr(files._Source, "readinto", readinto)  # noqa: SLF001 - as above
    next(files.records(str(file)))

    assert sum(read) < file.stat().st_size / 2
