"""The laboratory of the local stack: what its buttons send comes to what it would if a provider had sent it."""
from __future__ import annotations

import pytest
from stack.deployment import webhooks
from stack.laboratory import FORGERIES, Laboratory
from verdict.problem import Problem

from .functions import deployed
from .intake import await_empty, held
from .logs import log, said
from .table import items


@pytest.fixture(scope="module")
def laboratory(verdict):
    with Laboratory(verdict) as laboratory:
        yield laboratory


def test_every_sample_and_scenario_is_offered_with_its_description(laboratory):
    described = laboratory.describe()
    assert [each["name"] for each in described["samples"]] == [sample.name for sample in webhooks.catalogue()]
    assert [each["name"] for each in described["scenarios"]] == [scenario.name for scenario in webhooks.scenarios()]
    for each in described["samples"] + described["scenarios"]:
        assert each["provider"] == each["name"].split("/")[0]
        assert each["description"]
    assert described["outage"] == {"remainingSeconds": 0}


def test_a_sample_of_a_new_session_is_recorded_under_the_reference(verdict, laboratory):
    [answer] = laboratory.send("veriff/decision-approved", "new", "customer-of-the-laboratory")["answers"]
    assert (answer["status"], answer["outcome"], answer["count"]) == (200, "recorded", 1)
    provider, _, session_id = answer["session"].partition("/")
    assert verdict.session(provider, session_id)["subject"]["reference"] == "customer-of-the-laboratory"


def test_the_same_webhook_fifty_times_at_once_is_recorded_once(laboratory, session_id):
    answers = laboratory.send("veriff/decision-approved", session_id, None, 50)["answers"]
    assert [(answer["outcome"], answer["session"], answer["count"]) for answer in answers] == [
        ("duplicate", f"veriff/{session_id}", 49), ("recorded", f"veriff/{session_id}", 1)]


def test_incodes_samples_carry_a_token_that_the_stack_has_made(laboratory):
    [answer] = laboratory.send("incode/onboarding-finished", "new")["answers"]
    assert (answer["status"], answer["outcome"]) == (200, "recorded")


def test_a_scenario_is_played_step_by_step(laboratory):
    scenario = webhooks.find_scenario("veriff/resubmission")
    steps = laboratory.play(scenario.name)["steps"]
    assert [(step["sample"], step["outcome"]) for step in steps] == [
        (step.sample.name, step.outcome) for step in scenario.steps]
    assert len({step["session"] for step in steps}) == 1


@pytest.mark.parametrize("provider, reason", [
    ("veriff", "signature_mismatch"), ("incode", "secret_header_mismatch"), ("treezor", "signature_mismatch"),
    ("wultra", "authorization_mismatch")])
def test_a_forged_approval_is_refused_and_the_log_says_why(verdict, laboratory, provider, reason):
    function = deployed(verdict, {"veriff": "VeriffDecisions", "incode": "IncodeWebhooks",
                                  "treezor": "TreezorWebhooks", "wultra": "WultraEvents"}[provider])
    before = len(said(log(verdict, function, "delivery", at_least=0), "delivery"))
    [answer] = laboratory.forge(provider)["answers"]
    assert (answer["outcome"], answer["session"], answer["count"]) == ("refused", None, 1)
    assert answer["status"] in (401, 500)
    line = said(log(verdict, function, "delivery", before + 1), "delivery")[-1]
    assert (line["outcome"], line["reason"]) == ("refused", reason)


def test_every_provider_can_be_forged():
    assert tuple(FORGERIES) == webhooks.PROVIDERS


@pytest.mark.parametrize("ask", [
    lambda laboratory: laboratory.send("veriff/decision-aproved"),
    lambda laboratory: laboratory.send("veriff/decision-approved", times=51),
    lambda laboratory: laboratory.send("veriff/empty-body", "a-session"),
    lambda laboratory: laboratory.play("veriff/of-nobody"),
    lambda laboratory: laboratory.forge("of-nobody"),
    lambda laboratory: laboratory.outage(61),
])
def test_what_cant_be_done_is_told_in_one_line(laboratory, ask):
    with pytest.raises(Problem) as problem:
        ask(laboratory)
    assert "\n" not in str(problem.value)
    assert laboratory.describe()["outage"] == {"remainingSeconds": 0}


def test_without_dynamodb_webhooks_are_spooled_and_recorded_by_themselves_once_it_is_back(
        verdict, decisions, session_id):
    await_empty(verdict)
    with held(verdict):
        with Laboratory(verdict) as laboratory:
            assert 58 <= laboratory.outage(60)["remainingSeconds"] <= 60
            spooled = laboratory.send("veriff/decision-approved", session_id, None, 5)["answers"]
            assert [(answer["status"], answer["outcome"], answer["count"]) for answer in spooled] == [(200, "spooled", 5)]
            assert items(verdict, session_id) == []
        # Closed before its time: DynamoDB is there again.
        assert verdict.session("veriff", session_id) is None
    await_empty(verdict)
    assert verdict.session("veriff", session_id)["decision"]["outcome"] == "approved"
    assert len(decisions.about(session_id)) == 1
