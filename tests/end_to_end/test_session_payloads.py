"""Reading payloads: what is shown, when it isn't any more, and that it is logged who has looked."""
from __future__ import annotations

import json
import urllib.parse
import uuid
from datetime import datetime, timedelta

import pytest

from .deliveries import EVENTS, TREEZOR, decision, event, genuine, post
from .functions import copy, deployed
from .logs import TALKATIVE, log, said
from .reading import asked, error, quote
from .table import items

BY_PATH, BY_QUERY = "/sessions/{provider}/{sessionId}/events/{eventId}/payload", "/sessions/payload"
NOWHERE = "http://127.0.0.1:9"
ARN = "arn:aws:sts::123456789012:assumed-role/support/operator-1"


def only_event(verdict, session_id, provider="veriff"):
    """The id of a session's only event."""
    [found] = items(verdict, session_id, "EVENT", provider)
    return found["sk"]["S"].removeprefix("EVENT#")


def paths(session_id, event_id, provider="veriff"):
    """Both ways to ask for a payload."""
    return [f"/sessions/{provider}/{quote(session_id)}/events/{quote(event_id)}/payload",
            f"/sessions/payload?session={provider}%2F{quote(session_id)}&event={quote(event_id)}"]


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_payload_is_shown_as_it_is_stored_with_when_it_expires(verdict, session_id):
    sent = {**decision(session_id, "declined", person={"firstName": "SAMPLE"}), "image": "iVBORw0KGgo" + "A" * 4096}
    post(verdict, genuine(sent))
    event_id = only_event(verdict, session_id)
    for path in paths(session_id, event_id):
        status, shown = verdict.get(path)
        assert (status, set(shown)) == (200, {"eventId", "source", "expiresAt", "payload"})
        assert (shown["eventId"], shown["source"]) == (event_id, "/veriff/decisions")
        assert shown["payload"]["verification"] == sent["verification"]
        assert "AAAA" not in json.dumps(shown["payload"]["image"])
        received = moment(verdict.session("veriff", session_id)["lastEventAt"])
        left = moment(shown["expiresAt"]) - received
        assert timedelta(days=400, seconds=-1) <= left <= timedelta(days=400)


def test_an_events_payload_of_a_session_with_a_slash_is_shown(verdict, session_id):
    odd = f"{session_id}/a b?%2F"
    post(verdict, genuine(decision(odd)))
    event_id = only_event(verdict, odd)
    status, shown = verdict.get(paths(odd, event_id)[1])
    assert (status, shown["payload"]["verification"]["id"]) == (200, odd)


def test_the_search_for_sessions_says_where_a_payload_is(verdict, session_id):
    odd = f"{session_id}/a b?%2F"
    post(verdict, genuine(decision(odd)))
    event_id = only_event(verdict, odd)
    query = f"session=veriff%2F{quote(odd)}&part=payload&event={quote(event_id)}"
    answer = deployed(verdict, "SessionsApi").answer(asked("/sessions", query))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (307, "payload_elsewhere")
    assert "x-verdict-version" in answer.headers
    # Relative to the request's own URL, whatever stage or domain is before it.
    elsewhere = urllib.parse.urljoin(f"{verdict.api_url}/sessions?{query}", answer.headers["location"])
    assert elsewhere.startswith(f"{verdict.api_url}/sessions/payload?")
    status, shown = verdict.get(elsewhere.removeprefix(verdict.api_url))
    assert (status, shown["eventId"]) == (200, event_id)


def test_a_payload_whose_time_is_over_is_gone_whether_it_is_deleted_or_not(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    event_id = only_event(verdict, session_id)
    [payload] = items(verdict, session_id, "PAYLOAD")
    database, table = verdict.client("dynamodb"), verdict.outputs["SessionsTableName"]
    database.put_item(TableName=table, Item={**payload, "expiresAt": {"N": "1700000000"}})
    for path in paths(session_id, event_id):
        assert error(verdict.get(path)) == (410, "payload_expired")
    database.delete_item(TableName=table, Key={name: payload[name] for name in ("pk", "sk")})
    for path in paths(session_id, event_id):
        assert error(verdict.get(path)) == (410, "payload_expired")


def test_what_does_not_exist_is_not_found(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    for path in paths(session_id, "decision:0"):
        assert error(verdict.get(path)) == (404, "event_not_found")
    for path in paths(str(uuid.uuid4()), only_event(verdict, session_id)) + paths("x", "y", "nobody"):
        assert error(verdict.get(path)) == (404, "session_not_found")
    assert error(verdict.get(paths(session_id, "x" * 513)[1])) == (404, "event_not_found")
    assert error(verdict.get(paths("x" * 1025, "x")[1])) == (404, "session_not_found")


@pytest.mark.parametrize("query", [
    "", "?session=veriff%2Fcanary", "?event=canary", "?session=canary&event=x", "?session=&event=canary",
    "?session=veriff%2Fcanary&event=x&part=payload", "?session=veriff%2Fcanary&event=x&event=y", "?canary=x",
])
def test_a_question_that_makes_no_sense_is_a_bad_request_and_repeats_nothing(verdict, query):
    answer = verdict.get(f"/sessions/payload{query}")
    assert error(answer) == (400, "bad_request")
    assert "canary" not in str(answer)


def test_nobody_looks_unsigned(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    for path in paths(session_id, only_event(verdict, session_id)):
        status, body = verdict.get(path, signed=False)
        assert status == 403 and "verification" not in str(body)


def test_it_is_logged_who_has_looked_at_what(verdict, session_id):
    post(verdict, genuine(event(session_id), path=EVENTS))
    event_id = only_event(verdict, session_id)
    of = {"provider": "veriff", "sessionId": session_id}
    with copy(verdict, "SessionPayloads") as function:
        function.answer(asked(BY_PATH, caller=ARN, eventId=event_id, **of))
        function.answer(asked(BY_PATH, caller=ARN, eventId="x", **of))
        function.answer(asked(BY_QUERY, f"session=veriff%2F{session_id}-x&event={quote(event_id)}"))
        function.answer(asked(BY_QUERY, "", ARN))
        lines = said(log(verdict, function, "payload", at_least=4), "payload")
    assert [(line["caller"], line["session"], line["event"], line["outcome"]) for line in lines] == [
        (ARN, f"veriff/{session_id}", event_id, "shown"), (ARN, f"veriff/{session_id}", "x", "event_not_found"),
        (None, f"veriff/{session_id}-x", event_id, "session_not_found"), (ARN, None, None, "bad_request")]
    for line in lines:
        assert line[f"payload.{line['outcome']}"] == 1
        assert line["requestId"]


def test_the_gateway_says_who_looks(verdict, session_id):
    post(verdict, genuine(event(session_id), path=EVENTS))
    event_id = only_event(verdict, session_id)
    assert verdict.get(paths(session_id, event_id)[0])[0] == 200
    function = deployed(verdict, "SessionPayloads")
    lines = said(log(verdict, function, "payload"), "payload")
    [line] = [line for line in lines if line["session"] == f"veriff/{session_id}"]
    assert line["caller"].startswith("arn:aws:iam::000000000000:")


def test_nothing_personal_is_logged_of_what_was_looked_at(verdict):
    odd = f"canary {uuid.uuid4()} é"
    post(verdict, genuine(decision(odd, person={"firstName": "canary-first-name"})))
    query = f"session=veriff%2F{quote(odd)}&event={quote(only_event(verdict, odd))}"
    with copy(verdict, "SessionPayloads", **TALKATIVE) as function:
        answer = function.answer(asked(BY_QUERY, query))
        assert answer.status == 200 and "canary-first-name" in answer.body
        function.answer(asked(BY_QUERY, f"session=veriff%2F{quote(odd)}&event=canary%20é"))
        function.answer(asked(BY_QUERY, "canary=canary"))
        lines = log(verdict, function, "payload", at_least=3)
    assert "canary" not in "\n".join(lines)


def test_a_table_out_of_reach_is_told_and_logged(verdict):
    with copy(verdict, "SessionPayloads", AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as function:
        answer = function.answer(asked(BY_QUERY, "session=veriff%2Fx&event=y", ARN))
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "unavailable")
        [line] = said(log(verdict, function, "payload"), "payload")
    assert (line["caller"], line["outcome"]) == (ARN, "failed")


def test_each_of_several_sessions_shows_its_own_part(verdict):
    first, second = str(uuid.uuid4().int)[:9], str(uuid.uuid4().int)[:9]
    users = [{"userId": user, "kycReview": "2", "modifiedDate": "2026-06-12 09:30:00"} for user in (first, second)]
    post(verdict, TREEZOR.genuine({"users": users}))
    for user in (first, second):
        name = f"user:{user}"
        status, shown = verdict.get(paths(name, only_event(verdict, name, "treezor"), "treezor")[0])
        assert status == 200 and user in json.dumps(shown["payload"])
