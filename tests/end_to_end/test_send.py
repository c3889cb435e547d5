"""What `--outcome` and `--reason` have a sample say is what Verdict records: of every kind of webhook, by every provider."""
from __future__ import annotations

import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from stack.deployment import webhooks

sys.path.append(str(webhooks.EVENTS))
import changes

pytestmark = pytest.mark.usefixtures("believing")

AT_ONCE = 8
USER = "object_payload.user_id"
#: Treezor's code of a review is shown in its event, and is no reason of the decision.
REVIEWS = ("user.kycreview", "kycreview.result")


def sample_of(family: changes.Family, *, with_reason: bool = False) -> Any:
    """The first sample of a kind, or the first that has a place for a reason."""
    for sample in webhooks.catalogue():
        body = webhooks.body_of(webhooks.read_json(sample.file))
        if (sample.proof == "genuine" and sample.expect["outcome"] == "recorded" and "session" in sample.ids
                and changes.family_of(sample.provider, body) == family
                and (not with_reason or changes.has_reason(family, body))):
            return sample
    return None


def recorded(verdict, sample, **said: Any) -> Any:
    """The record of a session of which nothing but the sample is known."""
    session = sample.fresh_session()
    keys = webhooks.credentials(sample.provider, webhooks.LOCAL_CREDENTIALS)
    # A liveness is filed under the first id that its signed part came with: so that part is another one, too.
    others = ((USER, webhooks.fresh("7")),) if sample.name.startswith("treezor/kycliveness") else ()
    event = webhooks.make(sample, keys, changes=webhooks.Changes(**said, members=others), session=session)
    answer = webhooks.send(webhooks.with_fresh_token(event, sample, keys), verdict.api_url)
    assert (answer.status, answer.outcome) == (200, "recorded"), (sample.name, said, answer)
    provider, session_id = answer.session.split("/", 1)
    status, record = verdict.get(f"/sessions?session={urllib.parse.quote(f'{provider}/{session_id}', safe='')}")
    assert status == 200
    return record


def outcomes_of(record: Any) -> set[str]:
    """What is recorded of a decision and of checks."""
    return {each["outcome"] for each in filter(None, [record["decision"], *record["checks"].values()])}


def test_each_outcome_that_a_sample_can_be_told_to_say_is_recorded(verdict):
    wishes = [(sample, outcome) for family in changes.FAMILIES if (sample := sample_of(family))
              for outcome in family.outcomes]
    assert {sample.provider for sample, _ in wishes} == set(webhooks.PROVIDERS)
    assert {outcome for _, outcome in wishes} == set(webhooks.OUTCOMES)

    def look(wish: tuple[Any, str]) -> None:
        sample, outcome = wish
        record = recorded(verdict, sample, outcome=outcome)
        assert outcomes_of(record) == {outcome}, (sample.name, outcome)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(look, wishes))


def test_each_reason_that_a_sample_can_be_told_to_give_is_recorded(verdict):
    def look(family: changes.Family) -> None:
        sample = sample_of(family, with_reason=True)
        said = {"outcome": outcome} if (outcome := next(iter({"declined", "failed"} & family.outcomes.keys()), None)) else {}
        record = recorded(verdict, sample, reason="W102", **said)
        of = [record["decision"] or {}, *record["checks"].values()]
        assert any("W102" in each.get("reasonCodes", ()) for each in of), (sample.name, record)

    kinds = [family for family in changes.FAMILIES if family.reasons and sample_of(family, with_reason=True)
             and not {*REVIEWS} & {value for values in family.told_by.values() for value in values}]
    assert {family.provider for family in kinds} == set(webhooks.PROVIDERS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(look, kinds))
