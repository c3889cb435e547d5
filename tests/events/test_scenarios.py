"""The scenarios: whole, in order, about the sessions that they say, and ending as they say."""
import datetime
import json
import re

import pytest
import webhooks
from conftest import FETCHED_TOKEN
from verifying import LOCAL, body_bytes, flat_envelope, kind_of

SCENARIOS = webhooks.scenarios()
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def events(scenario, **given):
    """The scenario's ids, and its steps with their events."""
    ids = scenario.fresh_ids(**given)
    return ids, [(step, step.event(LOCAL[scenario.provider], ids)) for step in scenario.steps]


def test_every_provider_has_one():
    assert {scenario.provider for scenario in SCENARIOS} == LOCAL.keys()
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


def test_a_resubmission_is_of_two_attempts():
    _, steps = events(webhooks.find_scenario("veriff/resubmission"))
    documents = [json.loads(body_bytes(event)) for _, event in steps]
    attempts = [document.get("verification", document)["attemptId"] for document in documents]
    first, second = attempts[0], attempts[3]
    assert attempts == [first, first, first, second, second, second, first] and first != second


@each_scenario
def test_its_steps_are_genuine_webhooks_of_its_provider(scenario):
    for step, event in events(scenario)[1]:
        assert step.sample.provider == scenario.provider
        assert kind_of(scenario.provider, event, LOCAL[scenario.provider]) == step.sample.proof
        assert step.sample.expect["outcome"] == "recorded"
        json.loads(body_bytes(event))


@each_scenario
def test_its_steps_speak_of_its_sessions_and_of_no_sample_s(scenario):
    ids, steps = events(scenario)
    keys = scenario.session_keys(ids)
    assert keys.keys() == scenario.expect.keys() and "session" in keys
    for step, event in steps:
        body = body_bytes(event).decode("utf-8")
        assert keys[step.ids["session"]] == step.sample.session_prefix + ids[step.ids["session"]]
        for kind, name in step.ids.items():
            assert re.search(rf'[: ]"?{ids[name]}"?[,}}\s]', body)
            assert step.sample.ids[kind] not in body or ids[name] == step.sample.ids[kind]
    assert len(set(keys.values())) == len(keys)


@each_scenario
def test_its_ids_are_fresh_each_time_but_the_reference(scenario):
    one, other = scenario.fresh_ids(), scenario.fresh_ids()
    for name in one:
        assert (one[name] == other[name]) == (name == "reference")


@each_scenario
def test_ids_can_be_given(scenario):
    given = {"session": "7000", "reference": "ours" if "reference" in scenario.fresh_ids() else None}
    ids, _ = events(scenario, **given)
    assert ids.items() >= {name: id for name, id in given.items() if id}.items()


@each_scenario
def test_a_step_is_a_duplicate_where_the_same_webhook_came_before(scenario):
    seen = []
    for step, event in events(scenario)[1]:
        assert step.outcome == ("duplicate" if body_bytes(event) in seen else "recorded")
        seen.append(body_bytes(event))


@each_scenario
def test_it_ends_as_it_says(scenario):
    """A model of the fold, as far as decisions go: the latest wins, by the provider's time, else by arrival. Messages of
    checks tell the standing outcome, and then the checks."""
    ends: dict[str, dict] = {name: {"decision": None, "at": None, "notifications": []} for name in scenario.expect}
    for arrival, (step, event) in enumerate(events(scenario)[1]):
        end, meant = ends[step.ids["session"]], step.sample.expect["session"]
        decision = meant["decision"]
        at = (*time_of(scenario.provider, json.loads(body_bytes(event)), arrival), meant["status"] == "decided")
        if decision and (end["at"] is None or at > end["at"]):
            if decision != end["decision"]:
                end["notifications"].append(decision)
            end.update(decision=decision, at=at)
    if scenario.score:
        # Incode's API is asked when all webhooks are there.
        decision = {"OK": "approved", "MANUAL_OK": "approved", "FAIL": "declined"}[scenario.score]
        ends["session"].update(decision=decision, notifications=[*ends["session"]["notifications"], decision])
    for name, expected in scenario.expect.items():
        end, told = ends[name], [notification.partition(" (") for notification in expected["notifications"]]
        assert [outcome for outcome, _, changes in told if not changes] == end["notifications"]
        assert all(outcome == end["decision"] for outcome, _, changes in told if changes)
        changed = {change.split()[0] for *_, changes in told for change in changes.split(", ") if changes}
        assert changed <= expected["checks"].keys()
        assert (expected["status"], expected["decision"]) == ("decided" if end["decision"] else "new", end["decision"])


@each_scenario
def test_no_time_in_it_is_in_the_future_and_none_comes_twice_unless_another_settles_it(scenario):
    times: dict[str, list] = {}
    for step, event in events(scenario)[1]:
        for at in [time_of(scenario.provider, json.loads(body_bytes(event)), None)]:
            if step.outcome != "duplicate" and at[0] is not None:
                assert at[0] < datetime.datetime(2026, 6, 13, tzinfo=datetime.timezone.utc)
                assert at not in times.get(step.ids["session"], [])
                times.setdefault(step.ids["session"], []).append(at)


def time_of(provider, document, arrival):
    """The time that orders a webhook, and the one that settles it among equals."""
    if provider == "veriff":
        return parsed((document.get("verification") or {}).get("decisionTime")), None
    if provider == "wultra":
        return parsed(document["timestamp"]), None
    if provider == "treezor":
        flat = flat_envelope(document)
        payload = flat["object_payload"]
        first = (payload.get("users") or payload.get("documents") or [payload])[0]
        members = ("lastReviewDatetime", "updated-at", "identificationTime", "modifiedDate")
        times = [parsed(first.get(member)) for member in members]
        created = flat.get("webhook_created_at")
        created = created and EPOCH + datetime.timedelta(seconds=int(created) / 10 ** (len(str(created)) - 10))
        return next(filter(None, times), created), created
    assert provider == "incode"
    return arrival and EPOCH + datetime.timedelta(seconds=arrival), None


def parsed(text):
    if not text or text.startswith("0000"):
        return None
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)


# Playing


@each_scenario
def test_send_plays_it_in_order_and_prints_each_answer(scenario, endpoint, run):
    code, output, errors = run("send", "--scenario", scenario.name, "--session", "700123", "--to", endpoint.url)
    assert (code, errors) == (0, "")
    steps = scenario.steps
    assert [line.split() for line in output.splitlines()] == [
        [step.sample.name, "200", step.outcome, "veriff/sample", "{}"] for step in steps]
    assert [path.split("?")[0] for path, _, _ in endpoint.requests] == [
        "/stage" + webhooks.read_json(step.sample.file)["rawPath"] for step in steps]
    for step, (_, headers, body) in zip(steps, endpoint.requests):
        assert (b"700123" in body) == ("session" in step.ids.values())
        assert scenario.provider != "incode" or headers["authorization"] == f"Bearer {FETCHED_TOKEN}"


def test_a_session_of_one_s_own_is_played_again_as_the_same(endpoint, run):
    for _ in range(2):
        run("send", "--scenario", "wultra/onboarding", "--session", "s", "--to", endpoint.url)
    bodies = [body for _, _, body in endpoint.requests]
    assert bodies[:5] == bodies[5:]


@pytest.mark.parametrize("session", [[], ["--session", "new"]])
def test_without_a_session_of_one_s_own_it_is_another_each_time(session, endpoint, run):
    for _ in range(2):
        run("send", "--scenario", "wultra/onboarding", *session, "--to", endpoint.url)
    sessions = [json.loads(body)["processId"] for _, _, body in endpoint.requests]
    assert len(set(sessions)) == 2 and len(set(sessions[:5])) == 1


def test_an_unexpected_status_is_exit_code_1_and_the_rest_is_played(endpoint, run):
    endpoint.status = 503
    code, output, errors = run("send", "--scenario", "wultra/onboarding", "--to", endpoint.url)
    assert (code, len(output.splitlines()), len(endpoint.requests)) == (1, 5, 5)
    assert set(errors.splitlines()) == {"webhooks: expected status 200"}
