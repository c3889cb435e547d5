"""Wultra: megabytes of images of which nothing but digests is kept, and no second chance for what is lost."""
from __future__ import annotations

import base64
import collections
import hashlib
import json
import os
import random
import re
import uuid

import pytest

from stack.wire import Fate, Wire

from . import intake
from .deliveries import BYTES, JSON, WULTRA, as_event, post, post_all
from .functions import Function, copy
from .logs import TALKATIVE, log, said
from .table import items, size

# What leaves no trace leaves the whole table as large as it was.
pytestmark = pytest.mark.usefixtures("nobody_else_notifies")

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
#: What all that a session holds in the table may take.
KEPT_BYTES = 20 * KILOBYTE
#: No part of an image as long as this may be kept, in whatever spelling.
SLICE = 64


def event(process: str, event_type: str, data: dict, at: str = "2026-06-12T09:00:00Z", **more) -> dict:
    return {"id": str(uuid.uuid4()), "timestamp": at, "type": event_type, "userId": "customer-1",
            "externalUserId": None, "processId": process, "processType": "onboarding", "identityVerificationId": None,
            "eventData": data, **more}


def document(process: str, status: str = "ACCEPTED", document_id: str = "front", **more) -> dict:
    return event(process, "DOCUMENT_VERIFICATION_FINISHED", {"documentVerification": {
        "documentVerificationId": "v", "documentId": document_id, "status": status, "rejectReason": "blurred",
        "errorDetail": "TIMEOUT", "provider": "Microblink", "score": 10, "documentVerificationResult": None, **more}})


def presence(process: str, status: str = "ACCEPTED", **more) -> dict:
    return event(process, "PRESENCE_CHECK_FINISHED", {"presenceCheck": {
        "status": status, "rejectReason": "not the same person", "errorDetail": None, "provider": "iProov", "score": 10,
        **more}})


def finished(process: str, status: str = "FINISHED", at: str = "2026-06-12T09:30:00Z", **more) -> dict:
    return event(process, "PROCESS_FINISHED", {"process": {"status": status, "errorDetail": None, **more}}, at)


def record(verdict, process: str) -> dict:
    return verdict.session("wultra", process)


def outcome(verdict, process: str):
    decision = (record(verdict, process) or {}).get("decision")
    return decision and decision["outcome"]


def outcomes_of_checks(verdict, process: str) -> dict:
    return {name: check["outcome"] for name, check in record(verdict, process)["checks"].items()}


# ---- The answer ----

def assert_answered(answer, outcome_of_it: str):
    assert (answer.status, answer.outcome, answer.body) == (200, outcome_of_it, "{}")
    assert answer.headers["content-type"] == "application/json"


def test_every_success_is_an_empty_object_of_json(verdict, session_id):
    sent = WULTRA.genuine(finished(session_id))
    assert_answered(post(verdict, sent), "recorded")
    assert_answered(post(verdict, sent), "duplicate")
    assert_answered(post(verdict, WULTRA.genuine(b"unreadable")), "quarantined")


@pytest.mark.parametrize("header", ["x-correlation-id", "x-request-id"])
def test_a_header_that_is_another_each_time_makes_no_other_event(verdict, session_id, header):
    sent = WULTRA.genuine(finished(session_id))
    outcomes = [post(verdict, sent.plus((header, str(uuid.uuid4())))).outcome for _ in range(3)]
    assert outcomes == ["recorded", "duplicate", "duplicate"]


# ---- Megabytes ----

def image(start: bytes, size_of_it: int) -> bytes:
    """Bytes that look like an image at their beginning, and like noise after it."""
    return start + random.Random(size_of_it).randbytes(size_of_it - len(start))


JPEG, PNG = b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"
THREE = {"FRONT": image(JPEG, 1_400_000), "back": image(PNG, 1_365_000), "face": image(JPEG, 1_360_001)}
#: In base64 there is room for less in Lambda's 6 MB.
TWO = {kind: THREE[kind] for kind in ("FRONT", "face")}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def with_images(process: str, images: dict) -> bytes:
    """Images in the members that are made for them."""
    listed = [{"type": kind, "data": encoded(content)} for kind, content in images.items()]
    result = {"type": "ID_CARD", "country": "CZE", "data": {"surname": "SPECIMEN"}, "images": listed, "rawData": {}}
    return json.dumps(document(process, documentVerificationResult=result)).encode()


def with_raw_data(process: str, images: dict) -> bytes:
    """Images inside the answer of Wultra's own provider, which is JSON in a string."""
    raw = json.dumps({"status": "SUCCESS", "images": {kind: encoded(content) for kind, content in images.items()}})
    result = {"type": "ID_CARD", "country": "CZE", "data": None, "images": [], "rawData": raw}
    return json.dumps(document(process, documentVerificationResult=result)).encode()


def with_frames(process: str, images: dict) -> bytes:
    """Selfies: one where it should be, the others where nobody would look for any."""
    frame, *others = map(encoded, images.values())
    found = {"frame": frame, "frames": others[:1]}
    return json.dumps(presence(process, presenceCheckResult=found, debug=f"<xml>{''.join(others[1:])}</xml>")).encode()


LARGE = {"images": with_images, "raw data": with_raw_data, "frames": with_frames}


def kept_of(verdict, process: str) -> str:
    return json.dumps(items(verdict, process, provider="wultra"), ensure_ascii=False)


def is_kept(text: str, content: bytes) -> bool:
    """Whether any part of the content's base64 is in the text."""
    spelled = encoded(content)
    # A part of that length anywhere holds one of these, which are half as long and side by side.
    return any(spelled[at:at + SLICE // 2] in text for at in range(0, len(spelled) - SLICE // 2, SLICE // 2))


@pytest.mark.parametrize("images, content_type, megabytes", [(THREE, JSON, 5.5), (TWO, BYTES, 3.6)],
                         ids=["three as text", "two in base64"])
@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE)
def test_of_megabytes_of_images_only_digests_are_kept(verdict, session_id, body, images, content_type, megabytes):
    body = body(session_id, images)
    assert len(body) > megabytes * 1_000_000

    assert_answered(post(verdict, WULTRA.genuine(body, content_type=content_type)), "recorded")

    text = kept_of(verdict, session_id)
    assert len(text) < KEPT_BYTES
    for content in images.values():
        assert hashlib.sha256(content).hexdigest() in text
        assert not is_kept(text, content)
    assert set(outcomes_of_checks(verdict, session_id).values()) == {"passed"}


def test_the_search_for_parts_of_an_image_finds_them():
    content = THREE["FRONT"]
    assert is_kept("x" * 100 + encoded(content)[1001:1001 + SLICE] + "x" * 100, content)
    assert not is_kept("x" * 100 + encoded(content)[1001:1001 + SLICE // 2 - 1] + "x" * 100, content)


@pytest.mark.skipif(not os.path.exists("/proc"), reason="the memory of a process is read from /proc")
def test_megabytes_take_a_part_of_the_functions_memory(verdict, session_id, figures):
    with copy(verdict, WULTRA.function) as function:
        def peak_after(body: bytes) -> int:
            assert function.answer(as_event(WULTRA.genuine(body))).outcome == "recorded"
            return peak_memory(function)

        peaks = {"a small event": peak_after(json.dumps(finished(session_id)).encode())}
        for name, large in LARGE.items():
            body = large(session_id, THREE)
            peaks[f"{len(body) / 1e6:.1f} MB of {name}"] = peak_after(body)
        memory = verdict.client("lambda").get_function_configuration(FunctionName=function.name)["MemorySize"]
    figures += [f"wultra: at most {peak / MEGABYTE:.1f} MB of memory after {what}" for what, peak in peaks.items()]
    assert max(peaks.values()) < memory * MEGABYTE / 4


def peak_memory(function: Function) -> int:
    """The most that the function's process ever held, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", (function.process() / "status").read_text())[1]) * KILOBYTE


# ---- What decides ----

def test_only_the_end_of_the_process_decides(verdict, decisions, session_id):
    final = event(session_id, "FINAL_DOCUMENT_VERIFICATION_FINISHED", {"finalDocumentVerification": {
        "documentVerificationId": "v", "status": "ACCEPTED", "rejectReason": None, "errorDetail": None,
        "provider": "x", "documentIds": ["front", "back"]}})
    for body in (document(session_id), document(session_id, document_id="back"), final, presence(session_id)):
        assert_answered(post(verdict, WULTRA.genuine(body)), "recorded")
        assert outcome(verdict, session_id) is None
    assert decisions.about(session_id) == []

    post(verdict, WULTRA.genuine(finished(session_id)))

    assert record(verdict, session_id)["status"] == "decided"
    assert [message.body["data"]["outcome"] for message in decisions.about(session_id)] == ["approved"]
    assert outcomes_of_checks(verdict, session_id) == {
        "document:front": "passed", "document:back": "passed", "documents": "passed", "presence": "passed"}


def test_documents_may_be_accepted_in_a_process_that_fails(verdict, decisions, session_id):
    post(verdict, WULTRA.genuine(document(session_id)))
    post(verdict, WULTRA.genuine(presence(session_id, "REJECTED")))
    post(verdict, WULTRA.genuine(finished(session_id, "FAILED", errorDetail="ERROR_MAX_PROCESS_ATTEMPTS")))
    decision = record(verdict, session_id)["decision"]
    assert (decision["outcome"], decision["final"], decision["reasonCode"]) == (
        "failed", True, "ERROR_MAX_PROCESS_ATTEMPTS")
    assert outcomes_of_checks(verdict, session_id) == {"document:front": "passed", "presence": "failed"}
    [message] = decisions.about(session_id)
    assert message.body["data"]["outcome"] == "failed"


@pytest.mark.parametrize("status, expected", [("ACCEPTED", "passed"), ("REJECTED", "failed"), ("FAILED", "error")])
def test_a_check_has_an_outcome_for_each_status(verdict, session_id, status, expected):
    post(verdict, WULTRA.genuine(document(session_id, status)))
    assert outcomes_of_checks(verdict, session_id) == {"document:front": expected}


# ---- Before release 2.2.0 ----

@pytest.mark.parametrize("data", [
    {"eventData": {"locale": "en", "ipAddress": "192.0.2.1"}}, {"data": {"language": "en"}}, {"eventData": None}, {}])
def test_an_old_event_has_neither_id_nor_time_and_counts_once(verdict, decisions, session_id, data):
    body = {"type": "FINISHED", "userId": "customer-1", "processId": session_id, **data}
    sent = WULTRA.genuine(body)
    assert [post(verdict, sent).outcome for _ in range(3)] == ["recorded", "duplicate", "duplicate"]
    now = record(verdict, session_id)
    assert (now["decision"]["outcome"], now["events"]) == ("approved", 1)
    assert now["decision"]["decidedAt"] == now["firstEventAt"]
    assert len(decisions.about(session_id)) == 1


def test_old_checks_have_their_arrival_for_a_time(verdict, session_id):
    old = document(session_id)
    del old["id"], old["timestamp"]
    post(verdict, WULTRA.genuine(old))
    now = record(verdict, session_id)
    assert now["checks"]["document:front"]["at"] == now["firstEventAt"]


# ---- Again, and out of order ----

def test_events_sent_again_change_and_tell_nothing(verdict, decisions, session_id):
    bodies = [document(session_id), presence(session_id), finished(session_id)]
    sent = [WULTRA.genuine(body) for body in bodies]
    assert [post(verdict, each).outcome for each in sent] == ["recorded"] * 3
    before = record(verdict, session_id)
    for _ in range(2):
        assert [post(verdict, each).outcome for each in reversed(sent)] == ["duplicate"] * 3
    assert record(verdict, session_id) == before
    assert len(decisions.about(session_id)) == 1


def test_the_same_id_with_another_body_changes_nothing_and_is_counted(verdict, decisions, session_id):
    approved, failed = finished(session_id), finished(session_id, "FAILED", at="2026-06-12T10:00:00Z")
    checked = presence(session_id)
    other_words = {**approved, "eventData": {"process": {"status": "FINISHED", "errorDetail": None, "more": 1}}}
    sent = [
        approved, other_words, {**failed, "id": approved["id"]}, checked,
        {**presence(session_id, "REJECTED"), "id": checked["id"]}]
    with copy(verdict, WULTRA.function, **TALKATIVE) as function:
        outcomes = [function.answer(as_event(WULTRA.genuine(body))).outcome for body in sent]
        lines = said(log(verdict, function, "delivery", at_least=len(sent)), "delivery")
    assert outcomes == ["recorded", "duplicate", "duplicate", "recorded", "duplicate"]
    assert [line["idReused"] for line in lines] == [0, 0, 1, 0, 1]
    assert outcome(verdict, session_id) == "approved"
    assert outcomes_of_checks(verdict, session_id) == {"presence": "passed"}
    told = [message.body["type"] for message in decisions.about(session_id)]
    assert told == ["verdict.decision.v1", "verdict.check.v1"], "the check came after the decision"


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)], ids=["in order", "reversed"])
def test_the_later_end_of_a_process_counts(verdict, session_id, arrival):
    ends = [finished(session_id, "FAILED", at="2026-06-12T09:30:00.000001Z"),
            finished(session_id, "FINISHED", at="2026-06-12T11:30:00.000002+02:00")]
    for position in arrival:
        post(verdict, WULTRA.genuine(ends[position]))
    assert outcome(verdict, session_id) == "approved"


def test_the_same_event_fifty_times_twenty_at_once_is_one_event(verdict, decisions, session_id):
    answers = post_all(verdict, [WULTRA.genuine(finished(session_id))] * 50, at_once=20)
    assert collections.Counter((answer.status, answer.outcome) for answer in answers) == {
        (200, "recorded"): 1, (200, "duplicate"): 49}
    assert len(items(verdict, session_id, "EVENT", "wultra")) == 1
    assert len(decisions.about(session_id)) == 1


# ---- What is lost is lost: it must never look as if it were not ----

SILENT_OR_GONE = pytest.mark.parametrize(
    "fate", [Fate.LOST, Fate.CUT_OFF], ids=["never answers", "refuses connections"])


@SILENT_OR_GONE
def test_megabytes_that_the_table_cannot_take_are_a_success_and_wait_without_their_images(verdict, session_id, fate):
    sent = WULTRA.genuine(with_images(session_id, THREE))
    with intake.held(verdict):
        with Wire(verdict.endpoint, lambda operation: fate) as wire, \
                copy(verdict, WULTRA.function, AWS_ENDPOINT_URL_DYNAMODB=wire.url) as function:
            assert_answered(function.answer(as_event(sent)), "spooled")
        [message] = intake.waiting(verdict)
    assert message["bytes"] == len(sent.body) > 1_000_000 > len(json.dumps(message))
    intake.await_empty(verdict)
    assert len(items(verdict, session_id, "EVENT", "wultra")) == 1
    assert post(verdict, sent).outcome == "duplicate"


@SILENT_OR_GONE
@pytest.mark.parametrize("body", [
    lambda process: json.dumps(finished(process)).encode(), lambda process: with_images(process, THREE),
    lambda process: b"unreadable, of " + process.encode(),
], ids=["an event", "megabytes", "an unreadable event"])
def test_what_no_store_takes_is_no_success(verdict, session_id, fate, body):
    sent = WULTRA.genuine(body(session_id))
    before = size(verdict)
    with Wire(verdict.endpoint, lambda operation: fate) as wire, copy(
            verdict, WULTRA.function, AWS_ENDPOINT_URL_DYNAMODB=wire.url, AWS_ENDPOINT_URL_SQS=wire.url) as function:
        answer = function.answer(as_event(sent))
    assert (answer.status, answer.outcome) == (503, "failed")
    assert json.loads(answer.body)["errorCode"] == "ERROR_GENERIC"
    assert size(verdict) == before
    assert post(verdict, sent).outcome in ("recorded", "quarantined")


def test_a_decision_that_could_not_be_published_is_a_success_and_waits(verdict, session_id):
    with Wire(verdict.endpoint, lambda operation: Fate.LOST) as wire, \
            copy(verdict, WULTRA.function, AWS_ENDPOINT_URL_SQS=wire.url) as function:
        assert function.answer(as_event(WULTRA.genuine(finished(session_id)))).outcome == "recorded"
    assert [entry["sk"]["S"] for entry in items(verdict, session_id, "NOTIFICATION", "wultra")] == ["NOTIFICATION#1"]


def test_what_is_too_large_for_quarantine_is_no_success(verdict):
    answer = post(verdict, WULTRA.genuine(os.urandom(2_000_000), content_type=BYTES))
    assert (answer.status, answer.outcome) == (503, "failed")
