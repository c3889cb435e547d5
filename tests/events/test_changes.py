"""What `--outcome`, `--reason` and `--set` make of a sample: the members that they name change, nothing else does, and the
proof is anew. That Verdict then records it so is tested end to end."""
import json
from typing import Any

import changes
import pytest
import webhooks
from verifying import LOCAL, body_bytes, kind_of

SAMPLES = webhooks.catalogue()
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def committed(sample):
    return json.loads(sample.file.read_text("utf-8"))


def family_of(sample):
    return changes.family_of(sample.provider, body_bytes(committed(sample)))


def made(name, **changed):
    sample = webhooks.find(name)
    return webhooks.make(sample, LOCAL[sample.provider], changes=webhooks.Changes(**changed))


def body_of(name, **changed):
    return json.loads(body_bytes(made(name, **changed)))


def at(value, path):
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


# What it is to say


@each_sample
def test_an_outcome_changes_the_members_that_say_it_and_is_proved_in_the_sample_s_way(sample):
    family = family_of(sample)
    for outcome, members in family.outcomes.items() if family else ():
        event = webhooks.make(sample, LOCAL[sample.provider], changes=webhooks.Changes(outcome))
        assert kind_of(sample.provider, event, LOCAL[sample.provider]) == sample.proof
        before, after = body_bytes(committed(sample)), body_bytes(event)
        assert without(before, [*members, *SIGNATURES]) == without(after, [*members, *SIGNATURES])
        assert changes.family_of(sample.provider, after) == family


SIGNATURES = ("object_payload_signature", "webhook.object_payload_signature")


def without(body, paths):
    """The text of a body, except the values at some paths."""
    text = body.decode("utf-8")
    spans = sorted({span for path in paths for span in changes.places(text, path)}, reverse=True)
    for begin, end in spans:
        text = text[:begin] + "…" + text[end:]
    return text


@pytest.mark.parametrize("name, outcome, reason, expected", [
    ("veriff/decision-approved", "declined", "102", {"verification.status": "declined", "verification.code": 9102,
                                                     "verification.reasonCode": 102}),
    ("veriff/decision-declined", "approved", None, {"verification.status": "approved", "verification.code": 9001,
                                                    "verification.reasonCode": None, "verification.reason": None}),
    ("veriff/decision-declined", "review", "X7", {"verification.code": 9121, "verification.reasonCode": "X7"}),
    ("veriff/base64-body", "expired", None, {"verification.code": 9104}),
    ("veriff/full-auto-approved", "declined", None, {"data.verification.decision.value": "declined"}),
    ("veriff/full-auto-word", "declined", None, {"data.verification.decision": "declined"}),
    ("veriff/watchlist-possible-match", "passed", None, {"matchStatus": "no_match", "hits": []}),
    ("veriff/user-status", None, "7", {"data.verification.userDefinedData.reasonCode": 7}),
    ("incode/onboarding-finished", "declined", None, {"onboardingStatus": "MANUAL_REVIEW_REJECTED"}),
    ("incode/session-failed", "declined", None, {}),
    ("incode/authentication-fail", None, "E1", {"errorCode": "E1"}),
    ("treezor/user-kycreview-validated", "declined", "600005", {"webhook.object_payload.users.0.kycReview": "3",
                                                                "webhook.object_payload.users.0.codeStatus": "600005"}),
    ("treezor/user-kycreview-two-users", "review", None, {"webhook.object_payload.users.0.kycReview": "1",
                                                          "webhook.object_payload.users.1.kycReview": "1"}),
    ("treezor/kycreview-result-validated", "declined", None, {"object_payload.kycReview": 3,
                                                              "object_payload.kycStatus": "REFUSED"}),
    ("treezor/document-create", "failed", "600001", {"object_payload.documents.0.documentStatus": "REFUSED",
                                                     "object_payload.documents.0.codeStatus": "600001"}),
    ("treezor/kycliveness-update-processed", "declined", None, {"object_payload.score": 0}),
    ("treezor/kycliveness-update-refused", None, "9", {"object_payload.refusal-details.reasons.1.reason-code": "9"}),
    ("treezor/qes-aborted", "declined", "3201", {"object_payload.result": "CANCELED",
                                                 "object_payload.reason.reasonDetails.reasonCode": "3201"}),
    ("wultra/process-finished", "failed", "E_1", {"eventData.process.status": "FAILED",
                                                  "eventData.process.errorDetail": "E_1"}),
    ("wultra/presence-accepted", "failed", "W001", {"eventData.presenceCheck.status": "REJECTED",
                                                    "eventData.presenceCheck.rejectReason": "Rejected by provider [W001]"}),
])
def test_outcome_and_reason_stand_where_the_provider_has_them_in_the_form_that_it_has(name, outcome, reason, expected):
    body = body_of(name, outcome=outcome, reason=reason)
    assert {path: at(body, path) for path in expected} == expected


@pytest.mark.parametrize("name, changed, says", [
    ("veriff/watchlist-no-match", {"outcome": "declined"}, "these can: veriff/decision-declined, veriff/full-auto-declined"),
    ("veriff/event-started", {"outcome": "approved"}, "these can: veriff/decision-approved, "),
    ("veriff/decision-approved", {"outcome": "failed"}, "no sample of veriff can"),
    ("veriff/full-auto-word", {"reason": "102"}, "these can: veriff/decision-approved, "),
    ("veriff/unreadable-body", {"outcome": "declined"}, "these can: veriff/decision-declined, "),
    ("incode/session-succeeded", {"outcome": "review"}, "this can: incode/session-pending-review"),
    ("incode/manual-review-rejected", {"outcome": "declined", "reason": "1"}, "no sample of incode can"),
    ("treezor/user-kycrequest", {"outcome": "approved"}, "these can: treezor/user-kycreview-validated, "),
    ("treezor/kycliveness-update-refused", {"outcome": "approved"}, "these can: "),
    ("wultra/finished", {"outcome": "failed"}, "these can: wultra/process-failed, wultra/process-failed-in-words"),
])
def test_a_sample_that_cannot_say_it_names_those_that_can(name, changed, says):
    with pytest.raises(webhooks.Problem, match=f"^{name} ") as problem:
        made(name, **changed)
    assert says in str(problem.value)
    _, _, named = str(problem.value).partition("can: ")
    for other in filter(None, named.split(", ")):
        assert made(other, **changed)


# Members by their path


@pytest.mark.parametrize("value, written", [
    ("Ada", '"Ada"'), ("Ada Lovelace=1", '"Ada Lovelace=1"'), ("", '""'), ("null", "null"), ("7", "7"), ("007", '"007"'),
    ("1.50", "1.50"), ('"7"', '"7"'), ('{"a": [1]}', '{"a": [1]}'), ("NaN", '"NaN"'), ("-Infinity", '"-Infinity"'),
    ("é\"", '"\\u00e9\\""'), ("true", "true"), ("True", '"True"'),
])
def test_a_value_is_json_if_it_reads_as_json_and_else_a_text(value, written, run):
    code, output, _ = run("sign", "veriff/decision-approved", "--set", f"verification.person.firstName={value}")
    assert code == 0
    before = committed(webhooks.find("veriff/decision-approved"))["body"]
    assert json.loads(output)["body"] == before.replace('"firstName":"SAMPLE"', f'"firstName":{written}')
    assert kind_of("veriff", json.loads(output), LOCAL["veriff"]) == "genuine"


@pytest.mark.parametrize("name, path", [
    ("treezor/document-update-two-documents", "object_payload.documents.1.documentStatus"),
    ("treezor/document-update-two-documents", "object_payload.documents[1].documentStatus"),
    ("treezor/kycliveness-update-refused", "object_payload.refusal-details.reasons[1].reason-code"),
    ("treezor/qes-finalized-canceled", "object_payload.reason.reasonDetails"),
    ("veriff/decision-declined", "verification.riskLabels.0.label"),
    ("veriff/base64-body", "verification"),
])
def test_a_path_goes_through_objects_and_arrays_and_only_what_is_there_changes(name, path):
    body = body_of(name, members=((path, '"changed"'),))
    plain = path.replace("[", ".").replace("]", "")
    assert at(body, plain) == "changed"
    sample = webhooks.find(name)
    before, after = body_bytes(committed(sample)), body_bytes(made(name, members=((path, '"changed"'),)))
    assert without(before, [plain, *SIGNATURES]) == without(after, [plain, *SIGNATURES])


def test_changes_follow_each_other_the_named_ones_last(run):
    code, output, _ = run("sign", "veriff/decision-approved", "--outcome", "declined", "--reason", "102",
                          "--set", "verification.code=9001", "--set", "verification.person=null")
    body = json.loads(json.loads(output)["body"])["verification"]
    assert (code, body["status"], body["code"], body["reasonCode"], body["person"]) == (0, "declined", 9001, 102, None)


@pytest.mark.parametrize("path, says", [
    ("verification.person.firstname", "did you mean verification.person.firstName?"),
    ("firstName", "did you mean verification.person.firstName?"),
    ("verification.persn.firstName", "did you mean verification.person.firstName?"),
    ("verification.riskLabels.7.label", "did you mean verification.riskLabels.0.label?"),
    ("verification.status.code", "did you mean verification.status?"),
    ("zzz", "it has status, verification, technicalData"),
])
def test_a_path_that_is_not_there_names_the_nearest(path, says, run):
    code, output, errors = run("sign", "veriff/decision-declined", "--set", f"{path}=1")
    assert (code, output) == (2, "")
    assert errors == f"webhooks: veriff/decision-declined has no member {path}; {says}\n"


@pytest.mark.parametrize("arguments, says", [
    (["sign", "veriff/decision-approved", "--set", "verification.code"], "must be PATH=VALUE"),
    (["sign", "veriff/decision-approved", "--set", "=1"], "must be PATH=VALUE"),
    (["sign", "veriff/decision-approved", "--set", "…=1"], "has no member …"),
    (["sign", "veriff/decision-approved", "--outcome", "fine"], "invalid choice: 'fine'"),
    (["sign", "veriff/unreadable-body", "--set", "a=1"], "is no JSON object"),
    (["sign", "--all", "--outcome", "approved"], "leave the other options out"),
    (["send", "--scenario", "veriff/resubmission", "--set", "a=1", "--to", "http://127.0.0.1:9"], "leave --outcome, "),
    (["list", "nobody"], "invalid choice: 'nobody'"),
])
def test_what_cannot_be_meant_is_one_line(arguments, says, run):
    code, output, errors = run(*arguments)
    assert (code, output, errors.count("\n")) == (2, "", 1) and says in errors


@pytest.mark.parametrize("provider", webhooks.PROVIDERS)
def test_a_list_of_one_provider_holds_its_samples_and_scenarios_alone(provider, run):
    code, output, _ = run("list", provider)
    names = [line.split()[0] for line in output.splitlines() if "/" in line.split(" ")[0]]
    everything: list[Any] = [*webhooks.catalogue(), *webhooks.scenarios()]
    assert (code, names) == (0, [each.name for each in everything if each.provider == provider])


# Refusals


def test_a_refusal_that_was_not_expected_says_whose_credentials_count_and_where_the_reason_is(endpoint, run):
    endpoint.status, endpoint.outcome = 401, "refused"
    code, _, errors = run("send", "veriff/decision-approved", "--to", endpoint.url)
    assert code == 1 and errors.count("\n") == 1
    for said in ("not those of the API", "VERIFF_CREDENTIALS", "`./verdict sessions tail`"):
        assert said in errors
    code, _, errors = run("send", "veriff/forged-signature", "--to", endpoint.url)
    assert (code, errors) == (0, "")
