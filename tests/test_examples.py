"""The examples: each does what examples/README.md says, and fails if something is wrong."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mock_server import AltaMock
from mock_server.pipeline.hooks import Hooks
from tests.conftest import ROOT, WITHOUT_SCHEMATHESIS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server.messages.http import ApiRequest
    from mock_server.messages.outcome import Outcome
    from mock_server.pipeline.hooks import Handle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]  # compilers, and several pytests, on a busy machine

EXAMPLES = ROOT / "examples"
PACKAGES = EXAMPLES / "typescript" / "node_modules"
IGNORED = shutil.ignore_patterns("node_modules", "build", "alta.d.ts", "__pycache__", ".*_cache", "*.alta-add.*")
"""What is made by using the examples."""
ENVIRON = {
    **os.environ,
    "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    "PYTEST_ADDOPTS": " ".join(WITHOUT_SCHEMATHESIS),
}
"""What README.md of the examples asks for: the commands of this environment are found."""

TABLE = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in (EXAMPLES / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| [")
]
COMMANDS = {command.strip("`"): int(code) for _, _, command, code in TABLE if code}


def run(words: Sequence[str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(
        words, cwd=cwd, env={**ENVIRON, **variables}, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with a copy of the examples as in a new checkout; npm packages are linked."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=IGNORED)
    if PACKAGES.is_dir():
        (tmp_path / "examples" / "typescript" / "node_modules").symlink_to(PACKAGES)
    return tmp_path


@pytest.fixture
def typescript(copied: Path) -> Path:
    """A copy of the TypeScript client, its types generated."""
    assert PACKAGES.is_dir(), "the packages are missing: make test, or npm ci in examples/typescript"
    folder = copied / "examples" / "typescript"
    generated = run(["npm", "run", "generate"], folder)
    assert generated.returncode == 0, generated.stderr
    return folder


def test_every_example_is_in_the_table() -> None:
    """The table contains nothing else."""
    there = {file.name for file in EXAMPLES.iterdir()} - {"README.md"}

    assert {row[0][1:].partition("]")[0] for row in TABLE} == there - IGNORED("", list(there))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_table(copied: Path, command: str) -> None:
    """Each command ends with the exit code in its row."""
    assert PACKAGES.is_dir() or "typescript" not in command, "the packages are missing: make test, or npm ci there"
    done = run(shlex.split(command), copied)

    assert done.returncode == COMMANDS[command], done.stdout + done.stderr


def test_a_broken_contract_is_reported(copied: Path) -> None:
    """The consumer that sends 21 prospects shows the response, and the report shows the reason."""
    done = run(["alta-mock", "exec", "--strict", "--", "node", "examples/too_many.mjs"], copied)

    assert done.stdout.startswith("400 ")
    assert "maxItems /data: got 21 items; wanted at most 20" in done.stderr


# --- The project with tests of its own --------------------------------------------------------------------------------

SCENARIOS = "test_it_behaves_in_every_scenario"
WAITS = {"test_it_waits_out_the_limit", "test_the_quota_may_be_exhausted_at_the_start", SCENARIOS}


@pytest.mark.parametrize(
    ("right", "wrong", "caught_by"),
    [
        ("sleep(int(wait) if wait.isdecimal() else 60)", "pass", WAITS),
        ("reply.status_code // 100 != 2", "reply.status_code // 100 == 4", {SCENARIOS}),
    ],
    ids=["no wait", "redirects taken for success"],
)
def test_the_tests_of_the_project_catch_mistakes(copied: Path, right: str, wrong: str, caught_by: set[str]) -> None:
    """They fail for a broken integration."""
    module = copied / "examples" / "pytest-project" / "crm_sync.py"
    text = module.read_text(encoding="utf-8")
    assert right in text
    module.write_text(text.replace(right, wrong), encoding="utf-8")

    done = run(["pytest", "-q", "-p", "no:cacheprovider", "examples/pytest-project"], copied)

    assert done.returncode == 1, done.stdout + done.stderr
    assert set(re.findall(r"^FAILED .*::(\w+)", done.stdout, re.MULTILINE)) == caught_by


def test_pip_installs_the_project_with_its_extra(copied: Path) -> None:
    """Everything that its extra needs is installed with alta-mock; the pip of Python 3.11 understands it."""
    words = ["--dry-run", "--quiet", "--no-index", "--no-build-isolation", "--report", "-", ".[test]"]
    done = run([sys.executable, "-m", "pip", "install", *words], copied / "examples" / "pytest-project")

    assert done.returncode == 0, done.stderr
    (project,) = json.loads(done.stdout)["install"]
    assert project["requested_extras"] == ["test"]


# --- The TypeScript client --------------------------------------------------------------------------------------------

PEOPLE = {
    "{ email: 'ada@example.com' }": True,
    "{ phone: '+44 20 7946 0018', firstName: 'Ada' }": True,
    "{ firstName: 'Ada', lastName: 'Lovelace', company: 'Analytical Engines' }": True,
    "{ email: 'ada@example.com', other: 'fields are allowed' }": True,
    "{ firstName: 'Ada' }": True,
    "{ email: 42 }": False,
    "{ email: 'ada@example.com', phone: 42 }": False,
}


def test_the_types_keep_the_contract(typescript: Path) -> None:
    """Records with a value of another type do not compile; the contact rule is not part of the types."""
    people = typescript / "src" / "people.ts"
    head, _, _ = people.read_text(encoding="utf-8").partition("//")
    lines = [*head.splitlines(), "export const people: Prospect[] = [", *(f"{one}," for one in PEOPLE), "];"]
    people.write_text("\n".join(lines), encoding="utf-8")

    done = run(["npm", "run", "check"], typescript)

    wrong = [lines[int(number) - 1] for number in re.findall(r"^src/people\.ts\((\d+),", done.stdout, re.MULTILINE)]
    assert wrong == [f"{one}," for one, keeps in PEOPLE.items() if not keeps], done.stdout + done.stderr


def test_the_types_of_a_page_are_those_of_its_objects(typescript: Path) -> None:
    """The objects of a page have the members of their kind, and the cursors are optional."""
    page = 'import("./alta.js").paths["/prospects"]["get"]["responses"][200]["content"]["application/json"]'
    lines = [
        f"type Page = {page};",
        "export const people = (page: Page): string[] => page.data.map((prospect) => prospect.personId);",
        "export const emails = (page: Page): unknown[] => page.data.map((prospect) => prospect.email);",
        "export const next = (page: Page): string => page.next;",
    ]
    (typescript / "src" / "pages.ts").write_text("\n".join(lines), encoding="utf-8")

    done = run(["npm", "run", "check"], typescript)

    assert re.findall(r"^src/pages\.ts\((\d+),", done.stdout, re.MULTILINE) == ["3", "4"], done.stdout + done.stderr


def test_the_typescript_client_depends_on_no_choice(typescript: Path) -> None:
    """Under each choice that it meets, a 429 with a date included."""
    built = run(["npm", "run", "build"], typescript)
    assert built.returncode == 0, built.stdout + built.stderr
    done = run([sys.executable, "-m", "mock_server", "exec", "--vary", "--", "node", "build/add.js"], typescript)

    assert done.returncode == 0, done.stdout
    assert "retry-after=date" in done.stdout


def test_the_whole_integration(typescript: Path) -> None:
    """It finds the campaign by name, waits after a 429, adds and reads back everybody, opts two out, sees a reply."""

    def replied(handle: Handle) -> Handle:
        def answered(request: ApiRequest, transport: str) -> Outcome:
            if request.path.endswith("/inbox/email/messages"):
                mock.events.email_reply(mock.list("prospects", campaign_id=campaign)[7]["id"], body="Tell me more.")
            return handle(request, transport)

        return answered

    mock = AltaMock(hooks=Hooks(around=replied), rate_limit="off")
    campaign = mock.create("campaign", name="Autumn outreach")["id"]  # on the third page
    mock.next(429, operation="addProspectsToCampaign", retry_after=0)
    built = run(["npm", "run", "build"], typescript)
    assert built.returncode == 0, built.stdout + built.stderr
    with mock.serve() as server:
        place = {"ALTA_BASE_URL": server.url, "ALTA_API_TOKEN": "test-token"}
        done = run(["node", "build/whole.js", "Autumn outreach"], typescript, **place)

    assert done.stdout.splitlines() == [
        f"250 prospects in {campaign}",
        "two opted out; the first reply: Tell me more.",
    ], done.stderr
    assert [one["email"] for one in mock.prospects(campaign)] == [
        f"person.{number}@example.com" for number in range(250)
    ]
    assert len(mock.list("prospects", campaign_id=campaign, status="paused")) == 2
    assert mock.findings() == []


def test_the_typescript_integration_behaves_in_every_scenario(typescript: Path) -> None:
    """Those about reading included; a reply is in the seed."""
    built = run(["npm", "run", "build"], typescript)
    assert built.returncode == 0, built.stdout + built.stderr
    done = run(
        [sys.executable, "-m", "mock_server", "exec", "--consumer", "--", "node", "build/whole.js", "Q4 outreach"],
        typescript,
    )

    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["the consumer behaves"]), done.stdout
    assert "28 scenarios" in done.stdout


def test_the_lock_names_no_registry() -> None:
    """It works with any registry; each package is pinned by its checksum."""
    packages = json.loads((EXAMPLES / "typescript" / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    assert all("integrity" in package and "resolved" not in package for name, package in packages.items() if name)


# --- The workflow -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "file"), [("github-workflows", "contract.yml"), ("compose-spec", "docker/compose.yaml")]
)
def test_yaml_keeps_its_schema(schema: str, file: str) -> None:
    """The schema is the published one of the tool."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(EXAMPLES / file)]
    done = run(words, ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


CONSUMERS = {
    "good": "",
    "swallows-errors": "if status != 200: break",
}
"""What a consumer in the scenarios does after a batch, before it raises if the batch was refused.

That the scenarios catch other mistakes is shown by the wrong clients of `score`; here the question is whether the
workflow passes the verdict on.
"""

CONSUMER = """
import json, os, sys, time, requests
from email.utils import parsedate_to_datetime
url = f"{os.environ['ALTA_BASE_URL']}/campaigns/{os.environ['ALTA_CAMPAIGN_ID']}/prospects"
headers = {"Authorization": "Bearer " + os.environ["ALTA_API_TOKEN"]}

def post(batch):
    return requests.post(url, json={"data": batch}, headers=headers, timeout=9, allow_redirects=False)

def pause(wait):
    if wait.isdecimal():
        return int(wait)
    return max(0, parsedate_to_datetime(wait).timestamp() - time.time()) + 0.1 if wait else 2

people = json.load(open(sys.argv[1]))
for start in range(0, len(people), 20):
    batch = people[start : start + 20]
    for tries in range(6):
        reply = post(batch)
        status = reply.status_code
        if status != 429:
            break
        time.sleep(pause(reply.headers.get("Retry-After", "")))
    ACTION
    if status != 200:
        sys.exit(f"the response was {status}")
"""

PROVIDERS = {
    "good": "Hooks()",
    "without-limit": "Hooks(spend=lambda *_: None)",
}
"""The hooks of the fake that is verified; the mutants of `score` show what else `verify` catches."""

PROVIDER = """
import threading
from mock_server import AltaMock
from mock_server.pipeline.hooks import Hooks

with AltaMock(hooks=HOOKS).serve(port=PORT):
    threading.Event().wait()
"""


def workflow(copied: Path) -> list[dict[str, Any]]:
    """Return the steps of the workflow that run commands, and prepare the people and the package of its reader."""
    (copied / "people.json").write_text(json.dumps([{"email": f"p{number}@example.com"} for number in range(45)]))
    (copied / "your_package").mkdir()
    job = yaml.safe_load((copied / "examples" / "contract.yml").read_text(encoding="utf-8"))["jobs"]["contract"]
    install, consumer, provider = (step for step in job["steps"] if "run" in step)
    assert install["run"].startswith("pip install . 'alta-mock[verify]")  # no network; other tests install the wheel
    return [consumer, provider]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", CONSUMERS)
def test_the_workflow_judges_a_consumer(copied: Path, name: str) -> None:
    """It is green for a good consumer, and red for one that loses people."""
    consumer, _ = workflow(copied)
    code = CONSUMER.replace("ACTION", CONSUMERS[name] or "pass")
    (copied / "your_package" / "sync.py").write_text(code)
    done = run(["bash", "-e", "-c", consumer["run"]], copied)

    assert done.returncode == (name != "good"), done.stdout + done.stderr
    assert (copied / "consumer.xml").is_file()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", PROVIDERS)
def test_the_workflow_judges_a_provider(copied: Path, name: str) -> None:
    """It waits until the fake listens, is green for a good one, and red for one without the limit."""
    _, provider = workflow(copied)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    code = PROVIDER.replace("HOOKS", PROVIDERS[name]).replace("PORT", port)
    (copied / "your_package" / "fake.py").write_text(code)
    script = f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{provider['run'].replace('8080', port)}"
    done = run(["bash", "-e", "-c", script], copied, **provider["env"])

    assert done.returncode == (name != "good"), done.stdout + done.stderr
    assert (copied / "provider.xml").is_file()


# --- The container ----------------------------------------------------------------------------------------------------


def instructions(kind: str) -> list[str]:
    """Return the arguments of the instructions of a kind in the Dockerfile."""
    text = (EXAMPLES / "docker" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    return re.findall(rf"^{kind} +(.*)$", text, re.MULTILINE)


def test_the_dockerfile_is_clean() -> None:
    """The linter hadolint reports nothing."""
    done = run(["hadolint", "examples/docker/Dockerfile"], ROOT)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_container_has_one_port_and_no_root() -> None:
    """The Dockerfile and compose.yaml agree."""
    text = "".join((EXAMPLES / "docker" / name).read_text("utf-8") for name in ("Dockerfile", "compose.yaml"))

    assert set(re.findall(r":(\d{4})\b", text)) == {"8080"}
    assert instructions("USER") == ["65534:65534"]


def test_what_is_copied_is_enough_to_build(tmp_path: Path) -> None:
    """The wheel is the same as that of the whole checkout."""
    source = tmp_path / "source"
    source.mkdir()
    for words in map(shlex.split, instructions("COPY")):
        for name in words[:-1]:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / words[-1], ignore=IGNORED)
            else:
                shutil.copy(ROOT / name, source / words[-1])
    names = []
    for folder in (ROOT, source):
        built = tmp_path / f"from-{folder.name}"
        done = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)], folder)
        assert done.returncode == 0, done.stderr
        (wheel,) = built.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names.append(set(archive.namelist()))

    assert names[0] == names[1]
    assert "requirements-dev.lock" in instructions("RUN")[0].split()
    assert (source / "requirements-dev.lock").exists()


def test_what_the_container_does() -> None:
    """Without a container: it requires a token, becomes healthy, serves the consumer, and stops on the signal."""
    services = yaml.safe_load((EXAMPLES / "docker" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    environ = dict(word.split("=", 1) for line in instructions("ENV") for word in shlex.split(line))
    environ = {name: value.replace(":8080", ":0") for name, value in environ.items()}
    (command,), (health,), (stop,) = map(instructions, ("CMD", "HEALTHCHECK", "STOPSIGNAL"))

    refused = run(json.loads(command), ROOT, **environ)
    assert refused.returncode == 2
    (wanted,) = services["alta"]["environment"]
    assert wanted in refused.stderr

    process = subprocess.Popen(
        json.loads(command),
        env={**ENVIRON, **environ, wanted: "x"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        banner = "".join(takewhile(lambda line: not line.startswith("Stop it"), process.stderr))
        listens = re.search(r"http://0\.0\.0\.0:(\d+)/v1", banner)
        assert listens, banner
        port = listens[1]
        check = json.loads(health[health.index("[") :].replace("8080", port))
        assert run(check, ROOT).returncode == 0

        consumer = services["consumer"]
        words = [word.replace("/examples", str(EXAMPLES)) for word in consumer["command"]]
        place = {
            name: value.replace("alta:8080", f"127.0.0.1:{port}") for name, value in consumer["environment"].items()
        }
        done = run(words, ROOT, **place, NO_PROXY="127.0.0.1")
        assert done.returncode == 0, done.stderr

        process.send_signal(getattr(signal, stop))
        process.communicate(timeout=20)
        assert process.returncode == 0
        assert run(check, ROOT).returncode == 1
    finally:
        process.kill()
        process.communicate()
