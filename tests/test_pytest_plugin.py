"""The plugin: its fixtures, its marker, its report, and its cost in a run that does not use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import WITHOUT_SCHEMATHESIS

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

ADD = """
    import pytest, requests
    CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"

    def add(base, records=({"email": "a"},), token="test-token"):
        return requests.post(f"{base}/campaigns/{CAMPAIGN}/prospects", json={"data": list(records)},
                             headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code
"""


def in_pytest(pytester: pytest.Pytester, tests: str, *words: str) -> pytest.RunResult:
    """Run tests in a separate pytest with the installed plugin, which pytest finds by itself."""
    import textwrap  # noqa: PLC0415 - used here only

    pytester.makepyfile(textwrap.dedent(ADD) + textwrap.dedent(tests))
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *WITHOUT_SCHEMATHESIS, *words)


def test_all_fixtures_share_one_mock(pytester: pytest.Pytester) -> None:
    """A request through one transport is visible through the others."""
    tests = """
        def test_transports(alta_mock, alta_server, alta_responses):
            from mock_server import AltaMock
            assert isinstance(alta_mock, AltaMock) and alta_responses is alta_mock
            assert add(alta_mock.base_url) == 200
            assert [entry.transport for entry in alta_mock.requests] == ["responses"]

        def test_socket(alta_mock, alta_server):
            assert add(alta_server.url) == 200
            assert alta_mock.prospects(CAMPAIGN) == [{"email": "a"}]
    """
    in_pytest(pytester, tests).assert_outcomes(passed=2)


@pytest.mark.parametrize("words", [("-p", "no:randomly"), ("-p", "randomly"), ("-n", "4")], ids=" ".join)
def test_state_is_new_for_each_test(pytester: pytest.Pytester, words: tuple[str, ...]) -> None:
    """Prospects, quota, queue, journal and clock are new, in any order and in parallel."""
    tests = """
        @pytest.mark.parametrize("number", range(12))
        def test_new(alta_mock, alta_server, number):
            assert alta_mock.requests == [] and alta_mock.prospects(CAMPAIGN) == []
            assert alta_mock.clock.advanced == 0
            assert [add(alta_server.url) for _ in range(11)] == [200] * 10 + [429]
            alta_mock.next(500, times=9)
            alta_mock.clock.advance(99)
    """
    in_pytest(pytester, tests, *words).assert_outcomes(passed=12)


def test_settings_by_marker_and_by_fixture(pytester: pytest.Pytester) -> None:
    """The nearest marker wins over other markers and over the fixture."""
    tests = """
        @pytest.fixture
        def alta_settings():
            return {"rate_limit": "1/60s", "why": False}

        def statuses(alta_server):
            return [add(alta_server.url) for _ in range(4)]

        def test_fixture(alta_mock, alta_server):
            assert statuses(alta_server) == [200, 429, 429, 429]
            assert alta_mock.config.why is False

        @pytest.mark.alta(rate_limit="3/60s")
        class TestMarked:
            def test_class(self, alta_mock, alta_server):
                assert statuses(alta_server) == [200, 200, 200, 429]
                assert alta_mock.config.why is False

            @pytest.mark.alta(rate_limit="off")
            def test_nearest(self, alta_server):
                assert statuses(alta_server) == [200] * 4
    """
    in_pytest(pytester, tests, "--strict-markers").assert_outcomes(passed=3)


def test_a_failing_test_shows_its_traffic(pytester: pytest.Pytester) -> None:
    """The report has requests, broken rules and findings; that of a passing test does not."""
    tests = """
        def test_fails(alta_responses):
            add(alta_responses.base_url, [{"email": "a", "first_name": "A"}])
            assert add(alta_responses.base_url, [{"email": "a"}] * 21) == 200

        def test_silent(alta_mock):
            assert False

        def test_passes(alta_responses):
            add(alta_responses.base_url, [])
    """
    result = in_pytest(pytester, tests, "-p", "no:randomly")
    result.assert_outcomes(passed=1, failed=2)

    result.stdout.fnmatch_lines(
        [
            "*alta-mock traffic*",
            "<1. POST /v1/campaigns/*/prospects -> 200>",
            "<2. POST /v1/campaigns/*/prospects -> 400",
            "    maxItems /data: got 21 items; wanted at most 20>",
            'misspelt-field: the field "first_name" is not the documented firstName*',
            "*alta-mock traffic*",
            "alta_mock got no request; check_consumer sends its requests to other fakes",
        ]
    )
    assert "minItems" not in result.stdout.str()


LEAVES = """
    def test_leaves(alta_mock, alta_responses):
        alta_mock.next(429, times=3)
        alta_mock.fault("connection_reset", times=2)
        assert add(alta_responses.base_url) == 429
        assert {passes}

    def test_takes_all(alta_mock, alta_responses):
        alta_mock.next(429)
        assert add(alta_responses.base_url) == 429
"""
LEFT = "injected, but taken by no request: 2 x 429, 2 x connection_reset"


def test_a_failing_test_shows_the_injected_responses_that_are_left(pytester: pytest.Pytester) -> None:
    """They are often the reason."""
    result = in_pytest(pytester, LEAVES.format(passes=False))
    result.assert_outcomes(passed=1, failed=1)

    result.stdout.fnmatch_lines(["*alta-mock traffic*", LEFT])


def test_with_the_strict_setting_a_test_that_leaves_injected_responses_fails(pytester: pytest.Pytester) -> None:
    """Without it the test passes."""
    in_pytest(pytester, LEAVES.format(passes=True)).assert_outcomes(passed=2)
    strict = in_pytest(pytester, LEAVES.format(passes=True), "-o", "alta_strict=true")
    strict.assert_outcomes(passed=1, failed=1)

    strict.stdout.fnmatch_lines([LEFT])


def test_a_consumer_is_checked_with_the_settings_of_the_mock(pytester: pytest.Pytester) -> None:
    """A consumer that behaves passes; one that breaks a rule fails the test with the report."""
    tests = """
        from alta_client import AltaClient

        PEOPLE = [{"phone": str(number)} for number in range(30)]

        def behaves(at):
            AltaClient(at.base_url, at.token, sleep=at.sleep, clock=at.clock).add_prospects(at.campaign_id, PEOPLE)

        def swallows(at):
            try:
                behaves(at)
            except Exception:
                pass

        @pytest.mark.alta(why=False)
        def test_behaves(alta_mock, alta_check_consumer):
            report = alta_check_consumer(behaves, expect=PEOPLE)
            replies = [entry.outcome.reply for entry in report.runs["401"].entries]
            assert replies and not any(reply.header("X-Alta-Mock-Why") for reply in replies)
            assert alta_mock.requests == []

        def test_swallows(alta_check_consumer):
            alta_check_consumer(swallows, expect=PEOPLE, only=["reports-the-truth"])
    """
    result = in_pytest(pytester, tests, "-p", "no:randomly")
    result.assert_outcomes(passed=1, failed=1)

    result.stdout.fnmatch_lines(["*ConsumerBroken: *", "*reports-the-truth*fail*"])


def test_the_kit_is_imported_when_it_is_used() -> None:
    """`import contract_tests` imports neither the fake nor a library; an unknown name is an AttributeError."""
    code = (
        "import sys, contract_tests\n"
        "heavy = ('mock_server', 'click', 'requests', 'schemathesis', 'jsonschema')\n"
        "print([name for name in sys.modules if name.partition('.')[0] in heavy])\n"
        "print(contract_tests.check_consumer.__module__, hasattr(contract_tests, 'nothing'))\n"
        "print('schemathesis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["[]", "contract_tests.consumer.check False", "False"]


@pytest.mark.parametrize(
    ("package", "fixture"),
    [("mock_server", "alta_server"), ("alta_client", "alta_client"), ("contract_tests", "alta_check_consumer")],
)
@pytest.mark.parametrize("file", ["{}.py", "{}/__init__.py"])
def test_a_module_of_the_same_name_is_reported(
    pytester: pytest.Pytester, package: str, fixture: str, file: str
) -> None:
    """A project with such a module runs its own tests; one that uses the fixture fails, and names the file."""
    own = pytester.path / file.format(package)
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine = True")
    tests = f"""
        def test_own():
            import {package}
            assert {package}.mine

        def test_fixture({fixture}):
            pass
    """
    result = in_pytest(pytester, tests, "-p", "no:randomly")
    result.assert_outcomes(passed=1, errors=1)

    remedy = "rename it, or run the fake as a process of its own: alta-mock exec -- pytest"
    result.stdout.fnmatch_lines([f"{own} shadows the package {package} of alta-mock; {remedy}"])
    result.stdout.no_fnmatch_line("*alta_mock_pytest.py:*")


def test_a_wrong_setting_is_an_error_of_that_test(pytester: pytest.Pytester) -> None:
    """The message shows the form."""
    tests = """
        @pytest.mark.alta(rate_limit="10/min")
        def test_it(alta_mock):
            pass
    """
    result = in_pytest(pytester, tests)
    result.assert_outcomes(errors=1)

    result.stdout.fnmatch_lines(["*MockError: rate_limit: '10/min' is not a valid limit; write N/Ss, for example*"])


def test_a_run_that_does_not_use_it_imports_nothing() -> None:
    """It imports neither Flask nor httptools nor the fake."""
    code = (
        "import sys, alta_mock_pytest\n"
        "heavy = ('flask', 'httptools', 'jsonschema_rs', 'yaml', 'mock_server', 'contract_tests', 'alta_client')\n"
        "print([name for name in sys.modules if name.partition('.')[0] in heavy])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
