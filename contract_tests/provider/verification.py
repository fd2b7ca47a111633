"""A verification: the order of all requests, and the conclusion."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from alta_terminal import unexpected
from contract_tests.provider import limit_rules, page_rules
from contract_tests.provider.derived import TAG, UUID
from contract_tests.provider.discovery import discovered, lists
from contract_tests.provider.documented import operations, path_names
from contract_tests.provider.plan import NEEDS_WRITE, Plan, Planned, probes_of
from contract_tests.provider.probes import OK, NotExercised, ProbeFactory, good
from contract_tests.provider.response_rules import IDENTIFIERS
from contract_tests.provider.results import Report, Result
from contract_tests.provider.rules import PROCEDURES, RULES, SCHEMATHESIS, STORAGE
from contract_tests.provider.session import Options, Session, Stopped
from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, TOO_MANY, FakeWire, InProcess, Provider, Unusable, provider_at
from mock_server.contract.operation import Operation
from mock_server.handlers import SAMPLE
from mock_server.messages.errors import MockError

FOR_PAGES = 45  # about as many requests read the pages of one list
AFTER_THE_PLAN = 60  # about as many requests of Schemathesis, of a burst and of rules about state add prospects
WINDOWS = 2  # that are waited for before the quota of all operations, and of one, is used up again
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
    about = [one for one in operations().values() if session.options.about(one.id)]
    others = [one for one in about if one.id != SAMPLE.operation]
    plan = _plan(session, session.make) if len(others) < len(about) else None
    adding = plan.requests() if plan else 0
    planned = adding + _estimated(session, others)
    session.planned = min(planned, session.options.max_requests or planned)
    _check_usable(session, adds=plan is not None)
    _announce(session, adding)
    if plan:
        _add_prospects(session, plan)
    if others:
        session.make = session.make.knowing(*discovered(session))
    for operation in others:
        _verify_operation(session, operation)
    _perform(session, page_rules.measure, *page_rules.PAGING)
    for rule, procedure in PROCEDURES.items():
        if any(map(session.options.about, procedure.operations)):
            _perform(session, procedure.measure, rule)
    if plan and session.target.writes:
        _perform(session, limit_rules.burst, "limit-under-a-burst")
    _perform(session, limit_rules.measure_all_operations, "limit-of-all-operations")
    _perform(session, _explore, SCHEMATHESIS.id)


def _plan(session: Session, make: ProbeFactory) -> Plan:
    return Plan(session.report, make, sockets=session.provider.sockets)


def _estimated(session: Session, others: Iterable[Operation]) -> int:
    """Return about how many requests the other operations get: as many as with the ids to come, and some for pages."""
    ids = dict.fromkeys(path_names(), UUID)
    make = session.make.knowing(ids, ids if session.target.other_account_token else {})
    paged = sum(one in others for one in lists()) if page_rules.RULES[0].id in session.report.results else 0
    return FOR_PAGES * paged + sum(_plan(session, make.of(one)).requests() for one in others)


def _add_prospects(session: Session, plan: Plan) -> None:
    """Verify the operation that adds prospects."""
    if session.target.writes:
        _perform(session, lambda session: limit_rules.measure(session, plan), *limit_rules.MEASURED)
        for batch in plan.batches():
            _send_together(session, batch)
    for planned in plan.turns():
        _send_alone(session, planned)
    if session.target.writes:
        _perform(session, _compare_stored, STORAGE.id)


def _verify_operation(session: Session, operation: Operation) -> None:
    """Verify an operation, if it is served."""
    for planned in _plan(session, session.make.of(operation)).turns():
        if session.report.is_broken("served", operation.id):
            return
        _send_alone(session, planned)


def _announce(session: Session, adding: int) -> None:
    """Announce how many requests are planned, and how long they take at the limits, unless that is no real time."""
    narrow, wide = session.target.rate_limit, session.target.account_rate_limit
    if not session.options.patient or not (narrow or wide):
        return
    later = AFTER_THE_PLAN if adding and session.target.writes and not session.options.only else 0
    seconds = (adding + later) / narrow.requests * narrow.seconds if narrow else 0.0
    windows = WINDOWS * bool(later)
    seconds += ((session.planned - adding) / wide.requests + windows) * wide.seconds if wide else 0.0
    session.options.announce(session.planned, max(0.0, seconds))


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


def _check_usable(session: Session, *, adds: bool) -> None:
    """Raise `Unusable` unless the target accepts the credentials; add a prospect only if others are added, too."""
    url = session.target.url
    session.doing, session.what = "can it be used", "a request without prospects"
    response = session.send_patiently(session.make.request(None if adds and session.target.writes else {"data": []}))
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
            session.report.exercised(rule, probe.operation)
        else:
            _send_alone(session, (rule, probe))


def _send_alone(session: Session, planned: Planned) -> None:
    rule, probe = planned
    result = session.report.results[rule]
    if session.report.enough(rule, probe.operation):
        return
    session.doing, session.what = rule, probe.what
    if probe.after is not None:
        session.send_patiently(probe.after)
    silence_allowed = NO_RESPONSE in probe.wanted
    response = session.send_patiently(probe.request, fresh=probe.fresh, silence_allowed=silence_allowed, own_rule=True)
    if response.status == TOO_MANY:
        result.missing = "refused by a limit"
        return
    session.report.exercised(rule, probe.operation)
    if response.status not in probe.wanted:
        session.report.add_breach(rule, probe.what, probe.request, response, probe.expected, probe.operation)
    elif probe.echo and probe.echo.encode() in response.body + repr(response.headers).encode():
        what = f"{probe.what}, repeated in the response"
        session.report.add_breach(rule, what, probe.request, response, "no part of a token", probe.operation)


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
    limit = target.rate_limit.requests if target.rate_limit else 0
    count = 4 * limit + 20
    for rule in RULES.values():
        try:
            count += sum(probe.request.records for probe in probes_of(rule, target) if probe.wanted == OK)
        except NotExercised:
            continue
    return count
