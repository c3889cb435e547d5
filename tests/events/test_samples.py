"""The committed samples: complete, proved as the catalogue says, and free of what must not be in them."""
import json
import re

import pytest
import webhooks
from verifying import LOCAL, body_bytes, flat_envelope, kind_of, php_form, value_of

SAMPLES = webhooks.catalogue()
STATUSES = {"new", "started", "submitted", "in_review", "awaiting_resubmission", "decided"}
STATUS_OF = {
    "approved": "decided", "declined": "decided", "expired": "decided", "abandoned": "decided", "failed": "decided",
    "review": "in_review", "resubmission_requested": "awaiting_resubmission",
}
# Treezor asks for a code in the 500 range.
REFUSED = {"veriff": 401, "incode": 401, "treezor": 500, "wultra": 401}
SPOILED = {"forged", "malformed", "missing", "missing-header", "wrong-header", "missing-bearer", "wrong-bearer",
           "expired-bearer", "missing-token", "wrong-token", "wrong-password", "other-scheme"}

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def committed(sample):
    return json.loads(sample.file.read_text("utf-8"))


def test_every_file_is_in_the_catalogue_once_and_the_other_way_round():
    names = [sample.name for sample in SAMPLES]
    assert len(names) == len(set(names))
    files = [file for provider in webhooks.PROVIDERS for file in (webhooks.EVENTS / provider).glob("*.json")]
    assert set(names) == {f"{file.parent.name}/{file.stem}" for file in files}
    assert {sample.provider for sample in SAMPLES} == LOCAL.keys()


@each_sample
def test_the_file_is_an_event_of_the_http_api(sample):
    event = committed(sample)
    http, path = event["requestContext"]["http"], event["rawPath"]
    route = re.sub("^/incode/[a-z0-9-]+$", "/incode/{webhook}", path)
    assert event["version"] == "2.0"
    assert route in ("/veriff/events", "/veriff/decisions", "/incode/{webhook}", "/treezor", "/wultra/process/event")
    assert path.startswith(f"/{sample.provider}")
    assert event["routeKey"] == event["requestContext"]["routeKey"] == f"POST {route}"
    assert event.get("pathParameters") == ({"webhook": path[len("/incode/"):]} if "{" in route else None)
    assert (http["method"], http["path"]) == ("POST", path)
    assert http["sourceIp"].startswith("192.0.2.")
    parameters = event.get("queryStringParameters", {})
    assert event["rawQueryString"] == "&".join(f"{name}={value}" for name, value in parameters.items())
    assert event["requestContext"]["stage"] == "$default"
    assert isinstance(event["requestContext"]["timeEpoch"], int)
    assert all(name == name.lower() and isinstance(value, str) for name, value in event["headers"].items())
    assert {"content-type", "user-agent"} <= event["headers"].keys()
    body_bytes(event).decode("utf-8")


@each_sample
def test_the_proof_is_what_the_catalogue_says(sample):
    assert kind_of(sample.provider, committed(sample), LOCAL[sample.provider]) == sample.proof
    assert sample.proof in webhooks.PROOFS[sample.provider].KINDS


def test_every_kind_of_proof_has_a_sample():
    for provider, proofs in webhooks.PROOFS.items():
        assert set(proofs.KINDS) == {sample.proof for sample in SAMPLES if sample.provider == provider}


@each_sample
def test_the_expectation_is_one_that_verdict_can_meet(sample):
    expect = sample.expect
    if sample.proof in SPOILED:
        assert expect["outcome"] == "refused"
    assert expect["status"] == (REFUSED[sample.provider] if expect["outcome"] == "refused" else 200)
    if expect["outcome"] == "recorded":
        status, decision = expect["session"]["status"], expect["session"]["decision"]
        assert "session" in sample.ids
        assert status == (STATUS_OF[decision] if decision else status) and status in STATUSES
        assert decision or status not in STATUS_OF.values()
        assert expect["notifications"] == ([decision] if decision else [])
    else:
        assert expect["outcome"] in ("ignored", "quarantined", "refused")
        assert expect["session"] is None and expect["notifications"] == []


def test_what_is_refused_without_a_spoiled_proof_has_none_by_the_contract():
    # Treezor: bodies that hold no signature; and no body at all.
    odd = [s.name for s in SAMPLES if s.expect["outcome"] == "refused" and s.proof not in SPOILED]
    assert odd == ["treezor/missing-signature", "treezor/kycreview-result-unsigned", "treezor/empty-body"]


@each_sample
def test_every_id_of_the_catalogue_is_in_the_body_whole(sample):
    assert sample.ids.keys() <= {"session", "attempt", "reference"}
    for value in sample.ids.values():
        assert re.search(rb'[:\[ ]"?' + re.escape(value.encode()) + rb'"?[,}\]\s]', body_bytes(committed(sample)))


@each_sample
def test_a_session_has_the_prefix_of_what_its_id_names(sample):
    assert sample.session_key("7") == f"{sample.session_prefix}7"
    if "session" not in sample.ids or not sample.session_prefix:
        assert sample.provider != "treezor" or "session" not in sample.ids
        return
    document = json.loads(body_bytes(committed(sample)))
    payload = flat_envelope(document).get("object_payload", document)
    of = {
        "user:": {"users", "documents", "kycReview"}, "identification:": {"result", "kyc-status"},
        "request:": {"requestId"}, "customer:": {"customerId"},
    }
    assert payload.keys() & of[sample.session_prefix] and "interviewId" not in payload


def test_samples_share_no_session_and_no_reference():
    for provider in LOCAL:
        of_provider = [sample for sample in SAMPLES if sample.provider == provider]
        for kind in ("session", "reference"):
            values = [sample.ids[kind] for sample in of_provider if kind in sample.ids]
            assert len(values) == len(set(values))


# What is odd about some


def document(name):
    """The sample's JSON; fails where a member occurs twice in an object."""
    def unique(pairs):
        assert len(pairs) == len(dict(pairs)), "duplicate members"
        return dict(pairs)

    return json.loads(body_bytes(committed(webhooks.find(name))), object_pairs_hook=unique)


AMBIGUOUS = {"veriff/ambiguous-body", "incode/ambiguous-body", "treezor/ambiguous-payload", "wultra/ambiguous-body"}
NO_JSON = {f"{provider}/{name}-body" for provider in ("veriff", "incode", "wultra") for name in ("unreadable", "empty")}


@each_sample
def test_the_samples_that_are_no_json_or_ambiguous_are_so_and_no_others(sample):
    if sample.name in AMBIGUOUS:
        with pytest.raises(AssertionError, match="duplicate members"):
            document(sample.name)
    elif sample.name in NO_JSON | {"treezor/empty-body"}:
        with pytest.raises(json.JSONDecodeError):
            document(sample.name)
    else:
        assert isinstance(document(sample.name), dict)


def test_the_samples_without_session_id_hold_none():
    assert "id" not in document("veriff/decision-without-session-id")["verification"]
    assert document("incode/watchlist-blank-ids")["interviewId"] == ""
    assert document("treezor/payload-without-user-id")["object_payload"]["users"][0]["userId"] == ""
    assert "processId" not in document("wultra/without-process-id")


@pytest.mark.parametrize("provider", LOCAL)
def test_one_sample_of_each_provider_is_in_base64_and_not_in_ascii(provider):
    event = committed(webhooks.find(f"{provider}/base64-body"))
    assert event["isBase64Encoded"] and not body_bytes(event).isascii()


def test_php_s_form_differs_from_the_payload_in_every_way_that_it_can():
    """Samples whose signature holds over the form alone, with something of each kind that makes the difference."""
    differing = []
    for sample in SAMPLES:
        if sample.provider == "treezor" and sample.proof == "genuine" and sample.expect["outcome"] != "refused":
            payload = value_of("object_payload", body_bytes(committed(sample)).decode("utf-8"))
            differing += [payload] if php_form(payload) != payload else []
    together = "".join(differing)
    for oddity in ("\n", "Ö", " / ", "𠮷", "\x7f", "10.0", "1.0e+25", "{}", "[]"):
        assert oddity in together


def test_some_signature_is_written_with_an_escaped_slash():
    bodies = [body_bytes(committed(sample)).decode("utf-8") for sample in SAMPLES if sample.provider == "treezor"]
    signatures = [value_of("object_payload_signature", body) for body in bodies if "_signature" in body]
    assert any("\\/" in signature for signature in signatures)


def test_images_are_long_enough_to_be_taken_for_such_and_secrets_have_their_shape():
    texts = [text for sample in SAMPLES if sample.name not in AMBIGUOUS | NO_JSON | {"treezor/empty-body"}
             for text in strings(document(sample.name))]
    images = [text for text in texts if text.startswith(("iVBORw0KGgo", "/9j/"))]
    assert len(images) >= 6 and all(len(text) >= 256 for text in images)
    assert len([text for text in texts if re.fullmatch(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{43}", text)]) >= 4
    assert document("incode/work-history")["workHistory"]["apiKey"]


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_the_local_credentials_are_those_that_every_proof_here_holds_for():
    assert webhooks.read_json(webhooks.LOCAL_CREDENTIALS) == LOCAL
    assert list(webhooks.read_json(webhooks.LOCAL_CREDENTIALS)) == list(LOCAL) == list(webhooks.PROOFS)
