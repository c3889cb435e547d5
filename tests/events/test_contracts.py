"""The contracts' words against the samples: each event name, status and result has one, and means what it should."""
import json

import pytest
import webhooks
from verifying import body_bytes, flat_envelope

NEW, STARTED, SUBMITTED = ("new", None), ("started", None), ("submitted", None)
APPROVED, DECLINED = ("decided", "approved"), ("decided", "declined")
EXPIRED, ABANDONED, FAILED = ("decided", "expired"), ("decided", "abandoned"), ("decided", "failed")
REVIEW, RESUBMISSION = ("in_review", "review"), ("awaiting_resubmission", "resubmission_requested")

# What a sample with these words of the contract does to a session that knows nothing else, where it is believed.
MEANINGS = {
    "veriff": {
        "event 7001": STARTED, "event 7002": SUBMITTED, "event 7005": NEW, "event 7007": NEW, "event 7008": NEW,
        "event 7009": NEW, "event 7010": NEW, "event 7011": NEW,
        "decision approved": APPROVED, "decision declined": DECLINED, "decision expired": EXPIRED,
        "decision abandoned": ABANDONED, "decision review": REVIEW, "decision resubmission_requested": RESUBMISSION,
        "watchlist no_match": NEW, "watchlist possible_match": NEW, "user-status.created": NEW,
        "fullauto approved": APPROVED, "fullauto declined": DECLINED, "fullauto": NEW,
        "ine_registry": NEW, "combined-ine-curp-registry": NEW, "curp_registry": NEW,
    },
    "incode": {
        "onboarding-status ID_VALIDATION_FINISHED": STARTED,
        "onboarding-status ID_VALIDATION_FINISHED_SECOND_ID": STARTED,
        "onboarding-status POST_PROCESSING_FINISHED": STARTED,
        "onboarding-status FACE_VALIDATION_FINISHED": STARTED,
        "onboarding-status GOVERNMENT_VALIDATION_FINISHED": NEW,
        "onboarding-status ONBOARDING_FINISHED": SUBMITTED,
        "onboarding-status MANUAL_REVIEW_APPROVED": APPROVED,
        "onboarding-status MANUAL_REVIEW_REJECTED": DECLINED,
        "onboarding-status EXPIRED": EXPIRED,
        "onboarding-status UNKNOWN": NEW,
        "video-selfie": STARTED, "watchlist": NEW, "work-history": NEW, "proof-of-payment": NEW,
        "face-authentication": STARTED, "face-authentication PASS": STARTED, "face-authentication FAIL": STARTED,
        "session-started": STARTED, "session-failed": DECLINED, "session-succeeded": APPROVED,
        "session-pending-review": REVIEW, "session-progress": NEW, "identity-enrolled": NEW,
        "authentication PASS": STARTED, "authentication FAIL": STARTED,
        "ine-scraping IN_PROGRESS": NEW, "ine-scraping FINISHED": NEW,
    },
    "treezor": {
        "user.kycrequest": SUBMITTED, "kycreview.request": SUBMITTED,
        **{f"user.kycreview {value}": NEW for value in "045"},
        **{f"user.kycreview {value}": REVIEW for value in "167"},
        "user.kycreview 2": APPROVED, "user.kycreview 3": DECLINED,
        "kycreview.result 1 PENDING": REVIEW, "kycreview.result 6 PENDING": REVIEW,
        "kycreview.result 2 VALIDATED": APPROVED, "kycreview.result 3 REFUSED": DECLINED,
        "kycreview.result 2 REFUSED": NEW,
        "document.create PENDING": STARTED, "document.update VALIDATED": STARTED, "document.update REFUSED": STARTED,
        "document.cancel CANCELED": STARTED,
        "kycliveness.create processing": SUBMITTED,
        "kycliveness.update processed 1": APPROVED, "kycliveness.update processed 0": DECLINED,
        "qes.created STARTED": SUBMITTED, "qes.created START": SUBMITTED,
        "qes.processing CHECK_PENDING": REVIEW, "qes.processing FRAUD_SUSPICION_PENDING": REVIEW,
        "qes.aborted ABORTED": ABANDONED,
        "qes.finalized SUCCESS": APPROVED, "qes.finalized SUCCESS_DATA_CHANGED": APPROVED,
        "qes.finalized CANCELED": DECLINED, "qes.finalized FRAUD_SUSPICION_CONFIRMED": DECLINED,
        "videoConference.created STARTED": SUBMITTED, "videoConference.processing REVIEW_PENDING": REVIEW,
        "videoConference.aborted ABORTED": ABANDONED, "videoConference.finalized SUCCESS_DATA_CHANGE": APPROVED,
        "videoConference.finalized CANCELED": DECLINED,
    },
    "wultra": {
        **{f"{kind}_FINISHED {status}": STARTED
           for kind in ("DOCUMENT_VERIFICATION", "FINAL_DOCUMENT_VERIFICATION", "PRESENCE_CHECK")
           for status in ("ACCEPTED", "REJECTED", "FAILED")},
        "PROCESS_FINISHED FINISHED": APPROVED, "PROCESS_FINISHED FAILED": FAILED, "FINISHED": APPROVED,
    },
}

# Genuine, and nothing of ours.
IGNORED = {"payin.create", "card.update", "transaction.create", "user.update"}

# Words that no contract has: recorded, without any effect; but the payload of an unsigned name decides by itself.
UNHEARD_OF = {
    "veriff": {"event 7099", "decision escalated", "event 7001 submitted", "decision approved 9102"},
    "incode": {"onboarding-status SAMPLE_STATUS_OF_TOMORROW", "sample-kind-of-tomorrow"},
    "treezor": {"user.kycreview 8", "kycliveness.update archived", "qes.finalized SAMPLE_RESULT_OF_TOMORROW"},
    "wultra": {"DOCUMENT_VERIFICATION_FINISHED SUSPENDED", "PRESENCE_CHECK_FINISHED WAITING", "PROCESS_FINISHED PAUSED",
               "PROCESS_FINISHED", "SAMPLE_TYPE_OF_TOMORROW"},
}


def words(sample, event, document):
    """What the sample says, in its contract's words."""
    return " ".join(str(word) for word in globals()[f"{sample.provider}_words"](event, document) if word is not None)


def veriff_words(_, document):
    if "code" in document:
        contradicts = (document["code"], document["action"]) == (7001, "submitted")
        return "event", document["code"], document["action"] if contradicts else None
    if "matchStatus" in document:
        return "watchlist", document["matchStatus"]
    family = document.get("eventType", document.get("type"))
    if family == "fullauto":
        decision = document["data"]["verification"]["decision"]
        return family, decision["value"] if isinstance(decision, dict) else decision
    if isinstance(document.get("verification"), dict):
        status, code = document["verification"]["status"], document["verification"]["code"]
        return "decision", status, code if status == "approved" and code not in (9001, None) else None
    return (family,)


def incode_words(event, document):
    statuses = (document.get(member) for member in ("onboardingStatus", "eventType", "ScrapingStatus", "overallStatus"))
    return event["rawPath"].rpartition("/")[2], *statuses


def treezor_words(_, document):
    flat = flat_envelope(document)
    name, payload = flat["webhook"], flat["object_payload"]
    if name.endswith("request") or name in IGNORED:
        return (name,)
    first = (payload.get("users") or payload.get("documents") or [payload])[0]
    members = ("kycReview", "kycStatus", "documentStatus", "kyc-status", "result")
    score = first["score"] if first.get("kyc-status") == "processed" else None
    return name, *(first.get(member) for member in members), score


def wultra_words(_, document):
    parts = document.get("eventData", {}).values()
    return document["type"], *(part["status"] for part in parts if isinstance(part, dict) and "status" in part)


def readable(provider=None):
    """The samples that are genuine and readable, with event and body."""
    for sample in webhooks.catalogue():
        if sample.expect["outcome"] in ("recorded", "ignored") and provider in (None, sample.provider):
            event = json.loads(sample.file.read_text("utf-8"))
            yield sample, event, json.loads(body_bytes(event))


@pytest.mark.parametrize("provider", MEANINGS)
def test_every_word_of_the_contract_has_a_sample(provider):
    assert MEANINGS[provider].keys() | UNHEARD_OF[provider] <= {words(*each) for each in readable(provider)}


@pytest.mark.parametrize("sample, text", [pytest.param(each[0], words(*each), id=each[0].name) for each in readable()])
def test_a_sample_means_what_its_words_mean(sample, text):
    session = (sample.believed or sample.expect)["session"]
    if text in MEANINGS[sample.provider]:
        assert (session["status"], session["decision"]) == MEANINGS[sample.provider][text]
    elif text in UNHEARD_OF[sample.provider]:
        # A check shows that the person has started, whatever its status says.
        is_check = text.startswith(("DOCUMENT_VERIFICATION_FINISHED", "PRESENCE_CHECK_FINISHED"))
        assert (session["status"], session["decision"]) == (STARTED if is_check else NEW)
    else:
        # The rest: nothing of ours, nothing to record, and names that nobody knows above a payload that everybody does.
        if text in IGNORED or sample.name == "veriff/decision-verification-null":
            assert sample.expect["outcome"] == "ignored"
        else:
            assert sample.expect["outcome"] == "recorded"
            assert sample.name in ("veriff/unknown-family", "treezor/kycreview-unknown-event")


def test_a_sample_of_incode_s_decides_nothing_unless_it_is_believed():
    for sample, _, _ in readable("incode"):
        assert sample.expect["session"]["decision"] is None and sample.expect["notifications"] == [], sample.name
        assert not sample.believed or sample.believed["notifications"] == [sample.believed["session"]["decision"]]
    assert sum(sample.believed is not None for sample, _, _ in readable("incode")) >= 6


def test_treezor_s_envelopes_and_times_come_in_all_their_forms():
    forms, times = set(), set()
    for _, _, document in readable("treezor"):
        forms.add("flat" if flat_envelope(document) is document else "wrapped")
        created = flat_envelope(document).get("webhook_created_at")
        times.add((type(created).__name__, len(str(created or ""))))
    assert forms == {"flat", "wrapped"}
    assert times == {("int", 10), ("int", 13), ("int", 14), ("str", 14), ("NoneType", 0)}


def test_wultra_s_legacy_forms_are_there():
    documents = [document for _, _, document in readable("wultra")]
    assert {"eventData", "data"} == {member for d in documents for member in d if member.lower().endswith("data")}
    assert any("id" not in d and "timestamp" not in d for d in documents)
    assert any("mobileData" in d.get("eventData", {}).get("process", {}) for d in documents)
    raw = [d["eventData"]["documentVerification"]["documentVerificationResult"]["rawData"] for d in documents
           if (d.get("eventData", {}).get("documentVerification") or {}).get("documentVerificationResult")]
    assert {dict, str} == {type(each) for each in raw}
