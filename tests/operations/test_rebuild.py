"""The tool that has sessions read again: what it chooses, asks and says. AWS is played by a few lines of Python; the
end-to-end tests run it against the stack."""
import io
import json
import signal
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "operations"))
from verdict import command_line, options, rebuild


def item(key, kind, first, last):
    return {"pk": {"S": f"SESSION#{key}"}, "sk": {"S": "STATE"}, "session": {"M": {
        "kind": {"S": kind}, "firstEventAt": {"S": first}, "lastEventAt": {"S": last}}}}


TABLE = [
    item("veriff/early", "verification", "2026-06-01T09:00:00Z", "2026-06-01T10:00:00Z"),
    item("veriff/long", "verification", "2026-06-01T09:00:00Z", "2026-06-09T10:00:00.123456789Z"),
    item("incode/middle", "onboarding", "2026-06-04T00:00:00Z", "2026-06-04T00:00:01.5Z"),
    item("treezor/user:7", "kyc_review", "2026-06-05T00:00:00Z", "2026-06-05T00:00:00Z"),
    item("treezor/identification:7/8", "identification", "2026-06-08T00:00:00Z", "2026-06-09T00:00:00Z"),
    item("wultra/late", "onboarding", "2026-06-10T00:00:00Z", "2026-06-10T00:00:00Z"),
]
#: What the stack calls its functions.
FUNCTIONS = {"RebuildPreview": "verdict-rebuild-preview", "Replay": "verdict-replay"}
#: The options of a rebuild that is done.
APPLIED = ("--apply", "--reason", "a test")
ALL = [entry["pk"]["S"].removeprefix("SESSION#") for entry in TABLE]


class Aws:
    """All of AWS that the tool calls. Refuses so many of the messages of each batch, and keeps the rest."""

    region, is_local = "eu-west-1", False

    def __init__(self, refuses=()):
        self.refuses, self.messages, self.batches, self.asked, self.pauses = list(refuses), [], [], [], []
        self.answer = lambda key: {**key, "outcome": "unchanged"}
        self.questions: list[dict] = []

    def client(self, service):
        return self

    def deployment(self):
        return rebuild.Deployment(
            "table", "https://sqs/intake", FUNCTIONS["RebuildPreview"], FUNCTIONS["Replay"], self.client)

    # CloudFormation
    def describe_stacks(self, StackName):
        if StackName != "verdict":
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        outputs = {"SessionsTableName": "table", "IntakeQueueUrl": "https://sqs/intake"}
        return {"Stacks": [{
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/verdict/1", "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]}]}

    def describe_stack_resource(self, StackName, LogicalResourceId):
        return {"StackResourceDetail": {"PhysicalResourceId": FUNCTIONS[LogicalResourceId]}}

    # DynamoDB
    def get_paginator(self, operation):
        self.operation = operation
        return self

    def paginate(self, **question):
        self.question = question
        half = len(TABLE) // 2
        return [{"Items": TABLE[:half]}, {"Items": []}, {"Items": TABLE[half:]}]

    def get_item(self, Key, **_):
        [found] = [entry for entry in TABLE if entry["pk"] == Key["pk"]]
        # One has gone since the index was read.
        return {} if found is TABLE[-1] else {"Item": found}

    # Lambda
    def invoke(self, FunctionName, Payload):
        assert FunctionName == f"{FUNCTIONS['RebuildPreview']}:live"
        self.questions.append(json.loads(Payload))
        keys = self.questions[-1]["dryRun"]
        self.asked.append(len(keys))
        if keys[0]["sessionId"] == "breaks":
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType":"Runtime.ExitError"}')}
        reports = [self.answer(key) for key in keys]
        return {"Payload": io.BytesIO(json.dumps({"sessions": reports}).encode())}

    # SQS and STS
    def send_message_batch(self, QueueUrl, Entries):
        refused = self.refuses.pop(0) if self.refuses else 0
        taken = Entries[refused:]
        self.batches.append(len(Entries))
        self.messages += [json.loads(entry["MessageBody"]) for entry in taken]
        return {"Successful": [{"Id": entry["Id"], "MessageId": f"m{entry['Id']}"} for entry in taken],
                "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in Entries[:refused]]}

    def get_caller_identity(self):
        return {"Arn": "arn:aws:iam::123456789012:user/operator"}


@pytest.fixture
def aws(monkeypatch):
    aws = Aws()
    monkeypatch.setattr(rebuild.Aws, "connect", lambda endpoint: aws)
    monkeypatch.setattr(rebuild.time, "sleep", aws.pauses.append)
    return aws


@pytest.fixture
def run(aws, capsys, monkeypatch):
    """Runs the command; gives exit code, standard output and standard error."""

    def run(*arguments, **variables):
        with monkeypatch.context() as environment:
            for name, value in variables.items():
                environment.setenv(name, value)
            code = command_line.main(["rebuild", *arguments])
        return (code, *capsys.readouterr())

    return run


def chosen(aws, **choice):
    times: dict[str, Any] = {name: options.rfc3339(choice.pop(name)) for name in ("since", "until") if name in choice}
    return [str(key) for key in rebuild.chosen(aws.deployment(), rebuild.Choice(**times, **choice))]


# Choosing


@pytest.mark.parametrize("choice, expected", [
    ({"provider": "veriff"}, ["veriff/early", "veriff/long"]),
    ({"kind": "onboarding"}, ["incode/middle", "wultra/late"]),
    ({"provider": "wultra", "kind": "onboarding"}, ["wultra/late"]),
    ({"provider": "wultra", "kind": "identification"}, []),
    ({"since": "2026-06-09T00:00:00Z"}, ["veriff/long", "treezor/identification:7/8", "wultra/late"]),
    ({"since": "2026-06-09T00:00:00.000001Z"}, ["veriff/long", "wultra/late"]),
    ({"since": "2026-06-09T12:00:00+02:00", "provider": "veriff"}, ["veriff/long"]),
    ({"since": "2026-06-09T12:00:01+02:00", "provider": "veriff"}, []),
    ({"until": "2026-06-04T00:00:00Z"}, ["veriff/early", "veriff/long"]),
    ({"until": "2026-06-04T00:00:00.000001Z"}, ["veriff/early", "veriff/long", "incode/middle"]),
    # The long one has events around the span.
    ({"since": "2026-06-02T00:00:00Z", "until": "2026-06-05T00:00:00Z"}, ["veriff/long", "incode/middle"]),
    ({"since": "2026-06-05T00:00:00Z", "until": "2026-06-05T00:00:01Z"}, ["veriff/long", "treezor/user:7"]),
    ({"since": "2027-01-01T00:00:00Z"}, []),
])
def test_sessions_are_chosen_by_what_their_records_say(aws, choice, expected):
    assert chosen(aws, **choice) == expected
    assert aws.operation == "scan"


def test_what_is_read_to_choose_them_holds_nothing_personal(aws):
    chosen(aws, provider="veriff")
    names = aws.question["ExpressionAttributeNames"]
    members = aws.question["ProjectionExpression"]
    for alias, name in names.items():
        members = members.replace(alias, name)
    assert members == "pk, session.kind, session.firstEventAt, session.lastEventAt"


def test_a_long_reference_is_looked_up_under_the_key_that_the_table_has():
    assert [rebuild.indexed(text) for text in ("customer-1", "é" * 512)] == ["customer-1", "é" * 512]
    digest = "75628d88c411e2c7a3e1cbb3f0eb5498e51455875142fedd62677987cdecf107"
    assert rebuild.indexed("é" * 1000) == f"sha256:{digest}"


def test_sessions_of_a_reference_come_from_its_index_as_far_as_they_are_still_there(aws):
    assert chosen(aws, reference="customer-1", kind="onboarding") == ["incode/middle"]
    assert aws.operation == "query"
    assert aws.question["IndexName"] == "reference"
    assert aws.question["ExpressionAttributeValues"] == {":reference": {"S": "customer-1"}}


def test_sessions_that_are_named_are_taken_as_they_are_each_once(aws, run):
    names = ["veriff/unknown", "treezor/user:1", "wultra/a/b c", "veriff/unknown"]
    code, output, _ = run(*(f"--session={name}" for name in names))
    assert code == 0
    assert [line.split(maxsplit=1)[1] for line in output.splitlines()[:-1]] == names[:3]
    assert not hasattr(aws, "operation")


@pytest.mark.parametrize("arguments, complaint", [
    ([], "choose sessions by"),
    (["--apply", "--reason", "a test"], "choose sessions by"),
    (["--provider", "veriff", "--apply"], "say why it is done, with --reason"),
    (["--session", "veriff"], "'veriff' isn't a session"),
    (["--session", "veriff/"], "'veriff/' isn't a session"),
    (["--session", "nobody/1"], "'nobody/1' isn't a session"),
    (["--session", "veriff/1", "--kind", "onboarding"], "leave the other choices out"),
    (["--provider", "nobody"],  "'nobody' is not one of"),
    (["--kind", "kyc"], "'kyc' is not one of"),
    (["--since", "yesterday"], "'yesterday' isn't a time"),
    (["--since", "2026-06-01"], "a day alone has no time zone"),
    (["--until", "2026-06-01"], "a day alone has no time zone"),
    (["--since", "2126-06-01T00:00:00Z"], "is in the future"),
    (["--since", "2026-06-01T00:00:00"], "'2026-06-01T00:00:00' isn't a time"),
    (["--until", "0001-01-01T00:00:00+05:00"], "isn't a time"),
    (["--since", "2026-06-02T00:00:00Z", "--until", "2026-06-02T00:00:00Z"], "--since is not before --until"),
    (["--provider", "veriff", "--rate", "0"], "'0' isn't a number of sessions"),
    (["--provider", "veriff", "--rate", "nan"], "'nan' isn't a number of sessions"),
    (["--provider", "veriff", "--rate", "many"], "'many' isn't a number of sessions"),
    (["--provider", "veriff", "--stack-name", "other"], "there is no stack other"),
    (["--provider", "veriff", *APPLIED, "--audit", "/no/such/folder/audit"], "cannot write /no/such/folder/audit"),
    (["--provider", "veriff", "--reason", "a\nb"], "at most 80 letters, digits, spaces and"),
    (["--provider", "veriff", "--reason", "jane@example.com"], "nothing about a person"),
    (["--provider", "veriff", "--reason", "x" * 81], "at most 80"),
    (["--everything"], "No such option"),
])
def test_what_cannot_be_meant_is_told_in_one_line_and_nothing_is_asked_for(aws, run, arguments, complaint):
    code, output, error = run(*arguments)
    assert (code, output) == (2, "")
    assert error.startswith("rebuild: ") and error.count("\n") == 1 and complaint in error
    assert (aws.asked, aws.batches) == ([], [])


@pytest.mark.parametrize("variables, same_as", [
    ({"PROVIDER": "veriff"}, ["--provider", "veriff"]),
    ({"SINCE": "2026-06-02T00:00:00Z", "UNTIL": "2026-06-05T00:00:00Z", "KIND": "onboarding"},
     ["--since", "2026-06-02T00:00:00Z", "--until", "2026-06-05T00:00:00Z", "--kind", "onboarding"]),
    ({"SESSION": " veriff/1  treezor/user:2 "}, ["--session", "veriff/1", "--session", "treezor/user:2"]),
    ({"REFERENCE": "customer-1", "APPLY": "0", "PROVIDER": ""}, ["--reference", "customer-1"]),
    ({"PROVIDER": "nobody"}, ["--provider", "nobody"]),
    ({"STACK_NAME": "other", "KIND": "onboarding"}, ["--stack-name", "other", "--kind", "onboarding"]),
    ({"SESSION": "nobody/1"}, ["--session", "nobody/1"]),
])
def test_variables_of_make_say_the_same_as_options(run, variables, same_as):
    assert run(**variables) == run(*same_as)


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_time_may_be_how_long_ago(monkeypatch, verdict, name):
    given = []
    monkeypatch.setattr(rebuild, "run", lambda stack, choice, *_: given.append(choice))
    monkeypatch.setattr(rebuild.Stack, "require", lambda *_: None)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert verdict("rebuild", f"--{name}", "3d").status == 0
    [choice] = given
    ago = datetime.now(timezone.utc) - getattr(choice, name)
    assert timedelta(days=3) <= ago < timedelta(days=3, minutes=1)


def test_an_option_counts_before_a_variable(run):
    assert run("--provider", "incode", PROVIDER="veriff")[1].splitlines()[0].split()[1] == "incode/middle"


# Asking


def test_a_dry_run_says_what_would_change_and_changes_nothing(aws, run):
    reports: dict[str, dict] = {
        "veriff/early": {"outcome": "changed", "events": 2, "members": ["decision", "status"], "notified": True,
                         "decision": {"from": "declined", "to": "approved"}},
        "veriff/long": {"outcome": "changed", "events": 1, "members": [], "notified": False,
                        "decision": {"from": None, "to": None}},
        "incode/middle": {"outcome": "refused", "reason": "payloads_expired", "events": 3},
        "treezor/user:7": {"outcome": "refused", "reason": "payloads_unreadable", "events": 1},
        "treezor/identification:7/8": {"outcome": "failed", "reason": "out of time"},
    }
    aws.answer = lambda key: {
        **key, **reports.get(f"{key['provider']}/{key['sessionId']}", {"outcome": "unchanged"})}

    code, output, _ = run("--since", "2026-01-01T00:00:00Z")

    assert output.splitlines() == [
        "changed    veriff/early  2 events; decision declined -> approved; record: decision, status; notified",
        "changed    veriff/long  1 event",
        "refused    incode/middle  payloads_expired (3)",
        "refused    treezor/user:7  payloads_unreadable (1)",
        "failed     treezor/identification:7/8  out of time",
        "unchanged  wultra/late",
        "6 sessions: 1 unchanged, 2 would change (1 notified), 2 refused, 1 failed",
    ]
    assert code == 1
    assert aws.batches == []


def answers(aws, *reports: dict[str, Any]) -> list[str]:
    """Has the function give these reports, of sessions 0, 1, 2 …; the options that choose those."""
    aws.answer = lambda key: {**key, **reports[int(key["sessionId"])]}
    return [f"--session=veriff/{number}" for number in range(len(reports))]


def test_sessions_that_only_get_their_place_in_the_lists_are_counted_in_a_line_of_their_own(aws, run):
    sessions = answers(
        aws, {"outcome": "indexed"}, {"outcome": "unchanged"},
        {"outcome": "refused", "reason": "payloads_expired", "events": 2, "indexed": True},
        {"outcome": "refused", "reason": "payloads_expired", "events": 3, "indexed": False})
    code, output, _ = run(*sessions)
    assert code == 0
    assert output.splitlines() == [
        "indexed    veriff/0  place in the lists",
        "unchanged  veriff/1",
        "refused    veriff/2  payloads_expired (2); place in the lists",
        "refused    veriff/3  payloads_expired (3)",
        "4 sessions: 2 unchanged, 0 would change (0 notified), 2 refused, 0 failed",
        "2 sessions among these would get their place in the lists by status, and keep the record as it is",
    ]


def test_a_session_that_is_not_there_is_a_finding(aws, run):
    sessions = answers(aws, {"outcome": "refused", "reason": "session_not_found"}, {"outcome": "unchanged"})
    code, output, _ = run(*sessions)
    assert code == 1
    assert output.splitlines() == [
        "refused    veriff/0  session_not_found",
        "unchanged  veriff/1",
        "2 sessions: 1 unchanged, 0 would change (0 notified), 1 refused, 0 failed",
    ]


def test_a_refused_withdrawal_says_how_to_ask_for_it(aws, run):
    sessions = answers(aws, {"outcome": "refused", "reason": "decision_withdrawn", "events": None, "indexed": False})
    code, output, _ = run(*sessions)
    assert code == 0
    assert aws.questions == [{"dryRun": [{"provider": "veriff", "sessionId": "0"}]}]
    assert output.splitlines() == [
        "refused    veriff/0  decision_withdrawn",
        "1 session: 0 unchanged, 0 would change (0 notified), 1 refused, 0 failed",
        "1 session refused with decision_withdrawn: WITHDRAW=1 rebuilds it, and tells consumers that no decision stands",
    ]


@pytest.mark.parametrize("how, variables", [(["--withdraw"], {}), ([], {"WITHDRAW": "1"})])
def test_a_withdrawal_that_is_asked_for_shows_the_decision_go_to_none(aws, run, how, variables):
    sessions = answers(aws, {
        "outcome": "changed", "events": 1, "members": ["decision", "status"], "notified": True,
        "decision": {"from": "approved", "to": None}})
    _, output, _ = run(*sessions, *how, **variables)
    assert aws.questions == [{"dryRun": [{"provider": "veriff", "sessionId": "0"}], "withdraw": True}]
    assert output.splitlines()[0] == (
        "changed    veriff/0  1 event; decision approved -> none; record: decision, status; notified")


def test_what_is_stored_for_nothing_is_a_change_of_its_own(aws, run):
    reports: dict[str, dict] = {
        "veriff/early": {"outcome": "narrowed", "narrowed": 2},
        "veriff/long": {"outcome": "changed", "events": 1, "members": [], "notified": False, "narrowed": 1,
                        "decision": {"from": None, "to": None}},
        "incode/middle": {"outcome": "refused", "reason": "payloads_expired", "events": 3, "narrowed": 4},
    }
    aws.answer = lambda key: {
        **key, **reports.get(f"{key['provider']}/{key['sessionId']}", {"outcome": "unchanged"})}

    code, output, _ = run("--since", "2026-01-01T00:00:00Z")

    lines = output.splitlines()
    assert "narrowed   veriff/early  2 payloads narrowed" in lines
    assert "changed    veriff/long  1 event; 1 payload narrowed" in lines
    assert "refused    incode/middle  payloads_expired (3); 4 payloads narrowed" in lines
    assert lines[-2:] == [
        "6 sessions: 4 unchanged, 1 would change (0 notified), 1 refused, 0 failed",
        "7 payloads of 3 sessions would be narrowed to the session's own part of its webhooks",
    ]
    assert code == 0


def test_sessions_are_asked_about_in_calls_that_fit_the_function_s_time(aws, run):
    code, output, _ = run(*(f"--session=veriff/{number}" for number in range(25)))
    assert (code, aws.asked) == (0, [10, 10, 5])
    assert output.splitlines()[-1] == "25 sessions: 25 unchanged, 0 would change (0 notified), 0 refused, 0 failed"


def test_a_function_that_breaks_takes_only_its_call_s_sessions_along(run):
    names = ["breaks", *map(str, range(12))]
    code, output, _ = run(*(f"--session=veriff/{name}" for name in names))
    assert code == 1
    assert [line.split()[0] for line in output.splitlines()[:-1]] == ["failed"] * 10 + ["unchanged"] * 3


def test_a_session_id_can_not_act_on_the_terminal(run):
    _, output, _ = run("--session=veriff/\x1b[2Jé\nchanged  veriff/x")
    assert output.splitlines()[0] == r"unchanged  veriff/\x1b[2Jé\nchanged  veriff/x"


# Having it done


def audit_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_each_session_is_requested_once_and_put_on_record(aws, run, tmp_path):
    audit = tmp_path / "audit.jsonl"
    audit.write_text('{"at":"before"}\n')

    code, output, _ = run("--provider", "treezor", *APPLIED, "--audit", str(audit))

    assert code == 0
    assert aws.messages == [
        {"kind": "rebuild", "provider": "treezor", "sessionId": "user:7", "reason": "a test"},
        {"kind": "rebuild", "provider": "treezor", "sessionId": "identification:7/8", "reason": "a test"}]
    assert output == (f"2 rebuilds requested, on record in {audit}; what each came to is in the log of verdict-replay, "
                      "message `rebuild`\n")
    kept, *lines = audit_of(audit)
    assert kept == {"at": "before"}
    for line in lines:
        assert options.rfc3339(line.pop("at"))
    same = {"who": "arn:aws:iam::123456789012:user/operator", "stack": "verdict", "what": "rebuild", "reason": "a test",
            "result": "requested"}
    assert lines == [
        {**same, "which": "treezor/user:7", "messageId": "m0"},
        {**same, "which": "treezor/identification:7/8", "messageId": "m1"}]
    assert aws.asked == []


def test_a_request_to_withdraw_says_so_and_so_does_its_record(aws, run, tmp_path):
    audit = tmp_path / "audit.jsonl"
    code, _, _ = run("--session=veriff/1", "--audit", str(audit), APPLY="1", WITHDRAW="1", REASON="a test")
    assert code == 0
    assert aws.messages == [
        {"kind": "rebuild", "provider": "veriff", "sessionId": "1", "withdraw": True, "reason": "a test"}]
    [line] = audit_of(audit)
    assert (line["which"], line["what"], line["withdraw"]) == ("veriff/1", "rebuild", True)


def test_a_reason_goes_with_the_request_and_its_record_and_not_with_a_question(aws, run, tmp_path):
    audit, reason = tmp_path / "audit.jsonl", "TICKET-7: reader corrected (0.2)"
    run("--session=veriff/1", REASON=reason)
    assert aws.questions == [{"dryRun": [{"provider": "veriff", "sessionId": "1"}]}]
    run("--session=veriff/1", "--audit", str(audit), APPLY="1", REASON=reason)
    assert aws.messages == [{"kind": "rebuild", "provider": "veriff", "sessionId": "1", "reason": reason}]
    [line] = audit_of(audit)
    assert (line["which"], line["reason"]) == ("veriff/1", reason)


@pytest.mark.parametrize("rate, count, batches, pauses", [
    ("20", 25, [10, 10, 5], [0.5, 0.25]), ("5", 12, [5, 5, 2], [1.0, 0.4]), ("1", 3, [1, 1, 1], [1.0, 1.0]),
    ("0.5", 2, [1, 1], [2.0])])
def test_requests_go_out_at_the_rate_asked_for_and_not_in_bursts(aws, run, tmp_path, rate, count, batches, pauses):
    sessions = [f"--session=veriff/{number}" for number in range(count)]
    run(*sessions, "--rate", rate, "--audit", str(tmp_path / "audit"), APPLY="1", REASON="a test")
    assert (aws.batches, aws.pauses) == (batches, pauses)


def test_an_interrupted_one_ends_between_two_calls_and_says_what_was_requested(aws, run, tmp_path, monkeypatch):
    audit, send = tmp_path / "audit", aws.send_message_batch

    def ended_within(**batch):
        signal.raise_signal(signal.SIGINT)
        return send(**batch)

    monkeypatch.setattr(aws, "send_message_batch", ended_within)
    code, output, error = run(*(f"--session=veriff/{number}" for number in range(25)), *APPLIED, "--audit", str(audit))
    assert (code, output) == (130, "") and len(error.strip().splitlines()) == 1
    assert f"interrupted after 10 requests, which are on record in {audit}; the same command begins anew" in error
    assert len(aws.messages) == len(audit_of(audit)) == 10


def test_what_sqs_does_not_take_is_sent_again_and_nothing_twice(aws, run, tmp_path):
    aws.refuses = [3, 2, 0, 0]
    audit = tmp_path / "audit"
    code, _, _ = run(*(f"--session=veriff/{number}" for number in range(12)), *APPLIED, "--audit", str(audit))
    assert code == 0
    assert aws.batches == [10, 3, 2, 2]
    assert sorted(int(message["sessionId"]) for message in aws.messages) == list(range(12))
    assert sorted(line["which"] for line in audit_of(audit)) == sorted(f"veriff/{number}" for number in range(12))


def test_what_sqs_never_takes_is_named_and_not_put_on_record(aws, run, tmp_path):
    aws.refuses = [2, 1, 1, 1, 1]
    audit = tmp_path / "audit"
    code, output, error = run(*(f"--session=veriff/{name}" for name in "abc"), *APPLIED, "--audit", str(audit))
    assert (code, output) == (2, "")
    assert error.startswith("rebuild: SQS did not take the request for veriff/a: ")
    assert sorted(line["which"] for line in audit_of(audit)) == ["veriff/b", "veriff/c"]


def test_help_names_every_option(capsys):
    assert command_line.main(["rebuild", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("stack", "session", "reference", "provider", "kind", "since", "until", "apply", "withdraw", "reason",
                   "rate", "audit"):
        assert f"--{option}" in shown
