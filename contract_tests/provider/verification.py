"""A verification: the order of all requests, and the conclusion."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from alta_terminal import unexpected
from contract_tests.provider import limit_rules
from contract_tests.provider.plan import NEEDS_WRITE, Plan, Planned
from contract_tests.provider.probes import OK, TAG, NotExercised, ProbeFactory, good
from contract_tests.provider.response_rules import IDENTIFIERS
from contract_tests.provider.results import MOST_BREACHES, Report, Result
from contract_tests.provider.rules import RULES, SCHEMATHESIS, STORAGE
from contract_tests.provider.session import Options, Session, Stopped
from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, TOO_MANY, FakeWire, InProcess, Provider, Unusable, provider_at
from mock_server.messages.errors import MockError

NEEDS = {
    "limit-of-the-account": "needs --second-token",
    "limit-of-all-campaigns": "needs --second-campaign-id",
    "limit-leaves-other-accounts": "needs --other-account-token and --foreign-campaign-id",
}  # what rules without probes need


def verify_target(target: Target, options: Options) -> Report:
    """Verify the provider at the target's URL; if it is alta-mock, its clock is advanced instead of waiting."""
    try:
        provider = provider_at(target.url)
    except Unusable as error:
        return Report(target, {}, unusable=str(error))
    patient = target.rate_limit is not None and not isinstance(provider, FakeWire)
    try:
        return verify_provider(target, provider, replace(options, patient=patient))
    finally:
        provider.close()


def verify_provider(target: Target, provider: Provider, options: Options) -> Report:
    """Verify a provider, and return what was found, whatever the provider does."""
    report = Report(target, {name: Result(rule) for name, rule in RULES.items() if options.include(name)})
    session = Session(target, provider, options, report)
    start = time.monotonic()
    try:
        _run(session)
    except Unusable as error:
        report.unusable = report.redact(str(error))
        for result in report.results.values():
            result.breaches.clear()  # a target that cannot be verified breaks no rule
    except Stopped as error:
        report.stopped = report.redact(str(error))
    except Exception as error:  # noqa: BLE001 - the report of what was found until then must not be lost
        report.failed = True
        report.stopped = unexpected(error)
    except KeyboardInterrupt:
        report.interrupted = True
    session.doing = ""
    _conclude(report, options)
    report.seconds = time.monotonic() - start
    return report


def _run(session: Session) -> None:
    plan = Plan(session.report, session.make, sockets=session.provider.sockets)
    planned = plan.requests()
    session.planned = min(planned, session.options.max_requests or planned)
    _check_usable(session)
    limit = session.target.rate_limit
    if limit and session.options.patient:
        session.options.announce(session.planned, session.planned / limit.requests * limit.seconds)
    writes = session.target.writes
    if writes:
        _perform(session, lambda session: limit_rules.measure(session, plan), *limit_rules.MEASURED)
        for batch in plan.batches():
            _send_together(session, batch)
    for rule, probe in plan.turns():
        _send_alone(session, (rule, probe))
    if writes:
        _perform(session, _compare_stored, STORAGE.id)
        _perform(session, limit_rules.burst, "limit-under-a-burst")
        _perform(session, limit_rules.measure_all_operations, "limit-of-all-operations")
    _perform(session, _explore, SCHEMATHESIS.id)


def _compare_stored(session: Session) -> None:
    """Compare what the provider has stored with what was sent and accepted."""
    provider, campaign, make = session.provider, session.target.campaign_id, session.make
    if not isinstance(provider, FakeWire | InProcess):
        raise NotExercised("needs a provider that shows its prospects, as alta-mock does")
    before = provider.stored(campaign)
    batch = [good(firstName=f"No. {number}", n=10**25 + number) for number in range(20)]
    bad = [*batch[:19], {"jobTitle": TAG}]
    for what, sent, wanted in (("20 records", batch, batch), ("a batch whose last record is bad", bad, [])):
        request = make.request({"data": sent})
        response = session.send_patiently(request)
        after = provider.stored(campaign)
        if after[len(before) :] == wanted:
            session.report.exercised(STORAGE.id)
        else:
            got = f"{response.status}, and {len(after) - len(before)} records stored, in another form or order"
            session.report.add_breach(STORAGE.id, what, request, got, f"{len(wanted)} stored")
        before = after


def _explore(session: Session) -> None:
    from contract_tests.provider.schemathesis_rule import explore  # noqa: PLC0415 - its import takes a second

    explore(session)


def _check_usable(session: Session) -> None:
    """Raise `Unusable` unless the target accepts the credentials."""
    url = session.target.url
    session.doing, session.what = "can it be used", "a request without prospects"
    response = session.send_patiently(session.make.request(None if session.target.writes else {"data": []}))
    if 300 <= response.status < 400:  # noqa: PLR2004 - redirects
        raise Unusable(f"{url} redirects to {response.header('location')}; use that address")
    troubles = {
        401: "the token was refused with 401; check --token, and that it has not expired",
        403: "the token may not add prospects to the campaign (403); use a token with that permission",
        404: "the campaign was not found (404); check --campaign-id, --token, and the path of --url",
        TOO_MANY: "every request is refused with 429; wait, or use --rate-limit off if another limit applies",
        NO_RESPONSE: f"{url} does not respond: {response.trouble}",
    }
    if response.status in troubles:
        raise Unusable(troubles[response.status])


def _perform(session: Session, procedure: Callable[[Session], None], *rules: str) -> None:
    """Carry out a procedure that judges some rules, unless none of them is to be verified."""
    wanted = [rule for rule in rules if rule in session.report.results]
    if not wanted:
        return
    session.doing = wanted[0]
    try:
        procedure(session)
    except NotExercised as missing:
        for rule in wanted:
            session.report.results[rule].missing = str(missing)


def _send_together(session: Session, batch: list[Planned]) -> None:
    """Send prospects that must be accepted in one request; if it is refused, each probe alone."""
    session.doing = "prospects that must be accepted"
    records = [record for _, probe in batch for record in probe.records]
    accepted = session.send_patiently(session.make.request({"data": records})).accepted
    for rule, probe in batch:
        if accepted:
            session.report.exercised(rule)
        else:
            _send_alone(session, (rule, probe))


def _send_alone(session: Session, planned: Planned) -> None:
    rule, probe = planned
    result = session.report.results[rule]
    if len(result.breaches) >= MOST_BREACHES:
        return
    session.doing, session.what = rule, probe.what
    if probe.after is not None:
        session.send_patiently(probe.after)
    silence_allowed = NO_RESPONSE in probe.wanted
    response = session.send_patiently(probe.request, fresh=probe.fresh, silence_allowed=silence_allowed, own_rule=True)
    if response.status == TOO_MANY:
        result.missing = "refused by a limit"
        return
    session.report.exercised(rule)
    if response.status not in probe.wanted:
        session.report.add_breach(rule, probe.what, probe.request, response, probe.expected)
    elif probe.echo and probe.echo.encode() in response.body + repr(response.headers).encode():
        what = f"{probe.what}, repeated in the response"
        session.report.add_breach(rule, what, probe.request, response, "no part of a token")


def _conclude(report: Report, options: Options) -> None:
    """Record what rules lack, and what is not proven."""
    writes = report.target.writes
    for name, result in report.results.items():
        if not result.requests and not result.missing:
            missing = NEEDS.get(name, "no request exercised it")
            if not writes and (name.startswith("limit") or name == STORAGE.id):
                missing = NEEDS_WRITE
            result.missing = report.unusable or report.stopped or missing
    if report.unusable or report.interrupted or report.broken:
        return
    if options.only:
        idle = {name: result.missing for name, result in report.results.items() if not result.requests}
        report.unproven += [f"{name} was not exercised: {missing}" for name, missing in idle.items()]
        return
    if writes and not report.accepted:
        report.unproven.append("no valid request was accepted")
    expected = {200, *IDENTIFIERS} - {403}
    expected -= set() if writes else {200, TOO_MANY}
    expected -= set() if report.target.rate_limit else {TOO_MANY}
    unseen = sorted(status for status in expected if not report.statuses[status])
    report.unproven += [f"the documented status {status} was never seen" for status in unseen]


def check_permission(target: Target) -> None:
    """Raise `MockError` unless an option says what may be sent to another machine."""
    if not (target.local or target.write or target.reject_only):
        raise MockError(
            f"{urlsplit(target.url).hostname} is not this machine: use --reject-only to send only requests that must be"
            f" refused, or --write to add about {planned_records(target)} prospects there, tagged {TAG}"
        )


def planned_records(target: Target) -> int:
    """Return about how many prospects, at most, a verification adds to a provider that keeps the contract."""
    make = ProbeFactory(target, random.Random(0))  # noqa: S311 - unknown ids are not secret
    limit = target.rate_limit.requests if target.rate_limit else 0
    count = 4 * limit + 10
    for rule in RULES.values():
        try:
            probes = rule.probes(make) if rule.probes else ()
            count += sum(probe.request.records for probe in probes if probe.wanted == OK)
        except NotExercised:
            continue
    return count
