"""The rule about what a provider stores, where it shows its prospects, as alta-mock does."""

from __future__ import annotations

from contract_tests.provider.probes import TAG, NotExercised, good
from contract_tests.provider.rule import Rule
from contract_tests.provider.session import Session
from contract_tests.provider.wire import FakeWire, InProcess

RULE = Rule(
    "stores-what-was-sent",
    "Accepted prospects are stored completely, in order and to the last digit; of a refused request, nothing is.",
    "the user's own expectation; judged where a provider shows its prospects",
)


def compare(session: Session) -> None:
    """Compare what the provider has stored with what was sent and accepted.

    Raises:
        NotExercised: The provider does not show its prospects.
    """
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
            session.report.exercised(RULE.id)
        else:
            got = f"{response.status}, and {len(after) - len(before)} records stored, in another form or order"
            session.report.add_breach(RULE.id, what, request, got, f"{len(wanted)} stored")
        before = after
