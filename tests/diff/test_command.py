"""`alta-mock diff`: what it reads, what it reports, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from contract_tests.mutants.derived import inlined
from mock_server.cli.main import main
from tests.conftest import ROOT

PUBLISHED = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
LESS = PUBLISHED.replace("maxItems: 20", "maxItems: 10")

Diff = Callable[..., tuple[int, str, str]]


@pytest.fixture
def diff(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Diff:
    """Compare texts, as old.yaml and new.yaml; returns the exit code, the output and the errors."""
    monkeypatch.chdir(tmp_path)

    def diff(*words: str, **files: str) -> tuple[int, str, str]:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(["diff", *words])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return diff


def test_a_release_engineer_understands_a_changed_bound(diff: Diff) -> None:
    """A line says whom it breaks, where, what changed, and what is now refused; an example and both lines follow."""
    code, out, err = diff("bundled", "new.yaml", new=LESS)
    lines = out.splitlines()
    line = LESS[: LESS.index("maxItems: 10")].count("\n") + 1

    assert (code, err) == (1, "")
    assert lines[0] == "1 difference: 1 breaks consumers, 0 break providers"
    assert lines[2] == (
        "BREAKS CONSUMERS  POST /campaigns/{campaignId}/prospects: request body /data:"
        " maxItems 20 → 10: a list of 11 items is now refused"
    )
    assert lines[3].startswith('  example: {"data": [{')
    assert len(json.loads(lines[3].removeprefix("  example: "))["data"]) == 11
    assert lines[4] == f"  {ROOT / 'openapi.yaml'}:{line} → new.yaml:{line}"


@pytest.mark.parametrize(
    ("words", "code"),
    [(["bundled", "new.yaml", "--for", "provider"], 0), (["new.yaml", "bundled", "--for", "provider"], 1)],
)
def test_the_exit_code_is_about_one_side(diff: Diff, words: list[str], code: int) -> None:
    """A smaller bound of a request breaks consumers only, a larger one providers only."""
    assert diff(*words, new=LESS)[0] == code


def test_a_document_does_not_differ_from_itself(diff: Diff) -> None:
    """The report says so, and how much was compared."""
    code, out, _ = diff("bundled", "bundled")

    assert code == 0
    assert out.startswith("no difference\n\n28 operations in both documents")


def test_standard_input_is_a_document(diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads it, also as JSON; but only one of the two can be there."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(yaml.safe_load(LESS))))

    assert "maxItems 20 → 10" in diff("bundled", "-")[1]
    assert diff("-", "-")[::2] == (2, "alta-mock: OLD and NEW are both standard input; name a file for one of them\n")


def test_the_reports_keep_their_schema(diff: Diff) -> None:
    """JSON has pointers and examples; JUnit has a failure for what breaks the side."""
    diff("bundled", "new.yaml", "--json", "diff.json", "--junit", "diff.xml", new=LESS)
    report = json.loads(Path("diff.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "docs/reports.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, schema)
    (one,) = report["differences"]

    assert (report["tool"], report["exitCode"], one["breaks"]) == ("alta-mock diff", 1, ["consumers"])
    assert one["new"]["pointer"] == "/components/schemas/AddProspectsToCampaignRequest/properties/data/maxItems"
    assert "<failure" in Path("diff.xml").read_text(encoding="utf-8")


def test_the_overlay_is_applied_to_both(diff: Diff) -> None:
    """So that what the document leaves to prose is compared; `--published` compares the documents as they are."""
    stricter = PUBLISHED.replace(
        "        linkedinUrl:\n          type: string\n          maxLength: 255",
        "        phone:\n          type: string\n          maxLength: 20\n"
        "        linkedinUrl:\n          type: string\n          maxLength: 255",
    )

    assert "maxLength 20 is new" in diff("bundled", "new.yaml", new=stricter)[1]
    assert "phone is new: providers must read it" in diff("bundled", "new.yaml", "--published")[1]


def test_the_overlay_keeps_no_operation_alive(diff: Diff) -> None:
    """An operation that the overlay names, too, is gone, and that is the only difference."""
    document = yaml.safe_load(PUBLISHED)
    del document["paths"]["/dnc/communication-opt-outs"]["get"]
    code, out, _ = diff("bundled", "new.yaml", new=yaml.safe_dump(document))

    assert code == 1
    assert out.splitlines()[0] == "1 difference: 1 breaks consumers, 0 break providers"
    assert "GET /dnc/communication-opt-outs: the operation is gone" in out


def test_an_action_that_does_not_fit_the_new_document_is_left_out(diff: Diff) -> None:
    """A member that the overlay describes is gone: that is the only difference, and the report names the action."""
    document = yaml.safe_load(PUBLISHED)
    del document["components"]["schemas"]["TriggerAssistantCallRequest"]["properties"]["callTransfer"]
    code, out, _ = diff("bundled", "new.yaml", new=yaml.safe_dump(document))

    assert code == 1
    assert out.splitlines()[0] == "1 difference: 1 breaks consumers, 0 break providers"
    assert "callTransfer is gone: it is no longer read" in out
    assert "this action does not fit new.yaml; applied to neither" in out


def test_a_document_without_components_is_the_same(diff: Diff) -> None:
    """Actions that refer to components are left out on both sides, where NEW has written them out."""
    document = yaml.safe_load(PUBLISHED)
    written = {**inlined(document, document["paths"])}
    more = {key: value for key, value in document.items() if key not in {"paths", "components"}}
    schemes = {"components": {"securitySchemes": document["components"]["securitySchemes"]}}
    code, out, err = diff("bundled", "new.yaml", new=json.dumps({**more, "paths": written, **schemes}))

    assert (code, err) == (0, "")
    assert out.startswith("no difference\n")


def test_the_overlay_is_not_applied_to_documents_of_other_apis(diff: Diff) -> None:
    """Nothing of it is in the report; an overlay that was asked for must fit."""
    other = "openapi: 3.0.3\npaths: {/a: {get: {responses: {'200': {description: A.}}}}}"
    code, out, err = diff("old.yaml", "old.yaml", old=other)

    assert (code, err) == (0, "")
    assert out == "no difference\n\n1 operation in both documents; 0 values judged by both\n"
    code, _, err = diff("old.yaml", "old.yaml", "--overlay", str(ROOT / "openapi.overlay.yaml"))
    assert code == 2
    assert "selects nothing" in err


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("swagger: '2.0'\npaths: {}", "new.yaml:1: Swagger 2.0 is not read; convert it: npx swagger2openapi new.yaml"),
        ("- 1", "new.yaml:1: not an OpenAPI document: it must be an object; choose another file"),
        ("{", "new.yaml:2: not YAML: "),
        ("a: b", "new.yaml:1: not an OpenAPI 3 document: it has no 'openapi: 3.x.x'; choose another file"),
        ("openapi: 4.0.0", 'new.yaml:1: not an OpenAPI 3 document: it is of version "4.0.0"; choose another file'),
        (
            "overlay: 1.0.0\nactions: []",
            "new.yaml:1: this is an overlay, not an OpenAPI document; pass it with --overlay",
        ),
        ("openapi: 3.1.0\npaths: []", "new.yaml:2: /paths: this must be an object; correct it"),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters: [{$ref: '#/no'}]",
            "new.yaml:5: /paths/~1a/get/parameters/0: the reference '#/no' leads nowhere; correct it",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    $ref: other.yaml",
            "new.yaml:3: /paths/~1a: only references within the document (#/...) are read, not 'other.yaml'; bundle",
        ),
        ("openapi: 3.1.0\npaths: {/a: {get: {responses: 7}}}", "old.yaml or new.yaml is not valid OpenAPI"),
    ],
)
def test_a_document_that_cannot_be_compared_is_one_line(diff: Diff, text: str, error: str) -> None:
    """It names the file, what is wrong, and what to do; the exit code is 2."""
    old = "openapi: 3.1.0\npaths: {/a: {get: {responses: {}}}}"
    code, out, err = diff("old.yaml", "new.yaml", "--published", old=old, new=text)

    assert (code, out) == (2, "")
    assert err.startswith(f"alta-mock: {error}")
    assert err.count("\n") == 1


def test_a_file_that_is_missing_is_named(diff: Diff) -> None:
    """As for every command."""
    assert diff("bundled", "no.yaml")[::2] == (2, "alta-mock: cannot read no.yaml: No such file or directory\n")


def test_overlay_and_published_exclude_each_other(diff: Diff) -> None:
    """Both at once cannot be meant."""
    code, _, err = diff("bundled", "bundled", "--published", "--overlay", "a.yaml")

    assert (code, err) == (2, "alta-mock: --overlay and --published exclude each other; leave one out\n")


def test_a_document_without_operations_is_compared(diff: Diff) -> None:
    """All operations of the other are new or gone."""
    code, out, _ = diff("bundled", "new.yaml", new="openapi: 3.1.0")

    assert code == 1
    assert out.count("the operation is gone") == 23
