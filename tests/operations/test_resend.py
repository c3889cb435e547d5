"""What is asked to be sent again: which messages of one session, or of which sessions since a time, at which rate, and how
it goes on after an interruption. AWS is played by a few lines of Python; the end-to-end tests run it against the stack."""
import json
import re
import shlex
import signal
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from verdict import command_line, intake, options, resend
from verdict.intake import Key
from verdict.sessions_api import Answer

SINCE = "2026-06-01T09:00:00Z"
GOES_BACK = "A consumer drops what it has handled, unless it goes back first (docs/consume.md)"
APPLIED = ("--apply", "--reason", "a test")


def told(key, *times):
    return [{"pk": {"S": f"SESSION#{key}"}, "sk": {"S": f"TOLD#{number}"}, "toldAt": {"S": time}}
            for number, time in enumerate(times, 1) if time]


TABLE = [
    *told("veriff/before", "2026-06-01T08:59:59.999999999Z"),
    *told("veriff/at", "2026-06-01T08:00:00Z", "2026-06-01T09:00:00Z", "2026-06-01T09:00:00.5Z"),
    *told("treezor/user:7", "2026-06-01T09:00:00.000001Z"),
    *[item for number in range(12) for item in told(f"incode/{number}", "2026-06-02T00:00:00Z", "2026-06-02T00:00:01Z")],
]
#: The sessions that were told something since then, with the first sequence and how many.
SINCE_THEN = [("veriff/at", 2, 2), ("treezor/user:7", 1, 1), *((f"incode/{number}", 1, 2) for number in range(12))]


class Aws:
    """All of AWS that the command calls."""

    is_local, endpoint, region = False, None, "eu-west-1"

    def __init__(self):
        self.outputs = {"SessionsTableName": "table", "IntakeQueueUrl": "https://sqs/intake", "Version": "v0.2.0"}
        self.parameters = {"OperatorArn": "arn:aws:iam::123456789012:role/operator"}
        self.name, self.aws, self.messages, self.pauses = "verdict", self, [], []
        self.fails_after: Any = None
        self.ends_after: Any = None
        self.refuses: set[str] = set()

    def operator(self):
        return self

    def client(self, service):
        return self

    def resource(self, logical_id):
        return f"verdict-{logical_id}-1"

    def refuse_without_operator(self):
        pass

    def get_caller_identity(self):
        return {"Arn": "arn:aws:iam::123456789012:user/operator"}

    # DynamoDB, which gives the items after a key, whether that is there or not
    def get_paginator(self, operation):
        assert operation == "scan"
        return self

    def paginate(self, ExclusiveStartKey=None, ExpressionAttributeValues=None, **_):
        items, second = TABLE, ExpressionAttributeValues[":second"]["S"]
        if ExclusiveStartKey:
            places = [place for place, item in enumerate(items) if item["pk"] == ExclusiveStartKey["pk"]]
            items = items[places[-1] + 1:]
        items = [item for item in items if item["toldAt"]["S"] >= second]
        # A session's items may begin on one page and end on the next.
        return [{"Items": items[:2]}, {"Items": []}, {"Items": items[2:]}]

    # SQS
    def send_message_batch(self, QueueUrl, Entries):
        if self.fails_after is not None and len(self.messages) >= self.fails_after:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Slow down"}}, "SendMessageBatch")
        refused = [entry for entry in Entries if json.loads(entry["MessageBody"])["sessionId"] in self.refuses]
        Entries = [entry for entry in Entries if entry not in refused]
        self.messages += [json.loads(entry["MessageBody"]) for entry in Entries]
        if self.ends_after is not None and len(self.messages) >= self.ends_after:
            signal.raise_signal(signal.SIGINT)
        return {"Successful": [{"Id": entry["Id"], "MessageId": f"m{entry['Id']}"} for entry in Entries],
                "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in refused]}


class Api:
    """The sessions API: two notifications a page."""

    def __init__(self, *sequences):
        self.sequences = sequences

    def notifications(self, session, page=None):
        at = int(page or 0)
        entries = [{"sequence": sequence, "toldAt": SINCE, "messageId": "m", "message": {
            "type": "verdict.decision.v1", "data": {"outcome": "approved"}}} for sequence in self.sequences[at:at + 2]]
        is_more = at + 2 < len(self.sequences)
        return SimpleNamespace(found=lambda name: entries, next=str(at + 2) if is_more else None)


@pytest.fixture
def aws(monkeypatch):
    aws = Aws()
    monkeypatch.setattr(resend.Aws, "connect", lambda endpoint: aws)
    monkeypatch.setattr(resend.Stack, "require", lambda aws, name: aws)
    monkeypatch.setattr(intake.time, "sleep", aws.pauses.append)
    return aws


@pytest.fixture
def told_of_one(monkeypatch):
    """Has the sessions API tell these sequences."""
    def told_of_one(*sequences):
        monkeypatch.setattr(resend.SessionsApi, "of", lambda stack: Api(*sequences))

    return told_of_one


@pytest.fixture
def run(aws, capsys, tmp_path):
    """Runs the command; gives exit code, standard output and standard error."""
    def run(*arguments):
        code = command_line.main(["notifications", "resend", "--audit", str(tmp_path / "audit.jsonl"), *arguments])
        return (code, *capsys.readouterr())

    return run


def audit_of(path):
    return [json.loads(line) for line in (path / "audit.jsonl").read_text("utf-8").splitlines()]


# One session


def test_a_dry_run_shows_what_was_told_from_the_sequence_on_and_asks_for_nothing(aws, run, told_of_one):
    told_of_one(2, 3, 5, 6, 1001)
    code, output, error = run("veriff/s", "--from", "4")
    assert (code, error, aws.messages) == (0, "", [])
    headings, *lines, total, dropped = output.splitlines()
    assert headings.split() == ["SEQUENCE", "TOLD", "TYPE", "OUTCOME"]
    assert [line.split() for line in lines] == [
        [str(sequence), SINCE, "verdict.decision.v1", "approved"] for sequence in (5, 6, 1001)]
    assert total.startswith("3 messages of veriff/s would be sent again. --apply ")
    assert dropped == GOES_BACK


def test_an_applied_one_is_one_request_with_an_id_of_its_own_and_on_record(aws, run, told_of_one, tmp_path):
    told_of_one(1, 2, 3)
    code, output, _ = run("treezor/user:7", "--from", "2", *APPLIED)
    requested, _, command, dropped = output.splitlines()
    assert code == 0 and requested.startswith("Requested: 2 messages of treezor/user:7, on record in ")
    assert shlex.split(command)[:8] == [
        "aws", "logs", "filter-log-events", "--region", "eu-west-1", "--log-group-name", "verdict-ReplayLogs-1",
        "--start-time"]
    assert """ --filter-pattern '{ $.message = "resend" }' """ in command and dropped == GOES_BACK
    [message] = aws.messages
    assert re.fullmatch("[0-9a-f]{32}", message.pop("requestId"))
    assert message == {"kind": "resend", "provider": "treezor", "sessionId": "user:7", "from": 2, "reason": "a test"}
    [line] = audit_of(tmp_path)
    assert (line["what"], line["which"], line["from"], line["reason"], line["result"], line["messageId"]) == (
        "resend", "treezor/user:7", 2, "a test", "requested", "m0")


@pytest.mark.parametrize("sequences, says", [
    ((1, 2), "the last message told of it has the sequence 2"), ((), "none was told yet")])
def test_nothing_to_send_again_is_told(aws, run, told_of_one, sequences, says):
    told_of_one(*sequences)
    code, output, error = run("veriff/s", "--from", "3", *APPLIED)
    assert (code, output, aws.messages) == (2, "", []) and says in error and error.count("\n") == 1


def test_a_session_that_is_not_there_is_a_finding_as_for_the_commands_that_look(aws, run, monkeypatch):
    missing = Answer(404, {"error": {"code": "session_not_found", "message": "no webhook has spoken of it"}}, "GET/sessions")
    monkeypatch.setattr(resend.SessionsApi, "of", lambda stack: SimpleNamespace(notifications=lambda *_: missing))
    assert run("veriff/nope", "--from", "1") == (1, "", "notifications resend: no webhook has spoken of it\n")


@pytest.mark.parametrize("arguments, says", [
    ([], "name a session and --from"), (["veriff/s"], "name a session and --from"), (["--from", "1"], "name a session"),
    (["veriff/s", "--from", "1", "--since", SINCE], "or give --since alone"), (["veriff/s", "--from", "0"], "--from"),
    (["veriff/s", "--from", "1", "--after", resend.cursor(Key("veriff", "s"))], "--after goes with --since"),
    (["--since", SINCE, "--after", "nonsense"], "that isn't a place to go on from"),
    (["nobody/s", "--from", "1"], "'nobody/s' isn't a session"),
    (["--since", "2126-01-01T00:00:00Z"], "is in the future"),
    (["--since", "soon"], "'soon' isn't a time"), (["--since", SINCE, "--apply"], "say why it is done"),
])
def test_what_cannot_be_meant_is_one_line(aws, run, arguments, says):
    code, output, error = run(*arguments)
    assert (code, output, error.count("\n"), aws.messages) == (2, "", 1, []) and says in error
    assert error.startswith("notifications resend: ")


@pytest.mark.parametrize("version", ["v0.1.0", "0.1.3"])
def test_a_release_that_does_not_know_it_is_told(aws, run, version):
    aws.outputs["Version"] = version
    code, _, error = run("--since", SINCE)
    assert code == 2 and f"has the release {version}, which can't send again" in error


# All since a time


def test_the_sessions_since_a_time_are_those_told_something_then_or_later_each_from_there_on(aws):
    found = resend.told_since(aws, options.rfc3339(SINCE))
    assert [(str(each.key), each.first, each.count) for each in found] == SINCE_THEN
    found = resend.told_since(aws, options.rfc3339("2026-06-01T09:00:00.5Z"))
    assert [(str(each.key), each.first) for each in found][:2] == [("veriff/at", 3), ("incode/0", 1)]


def test_a_dry_run_counts_them_and_asks_for_nothing(aws, run):
    code, output, _ = run("--since", SINCE)
    assert (code, aws.messages) == (0, [])
    assert output.startswith("27 messages of 14 sessions would be sent again. --apply ")
    assert output.splitlines()[-1] == GOES_BACK


@pytest.mark.parametrize("applied", [(), APPLIED])
def test_if_no_session_was_told_anything_since_that_is_said(aws, run, applied):
    assert run("--since", "2026-07-01T00:00:00Z", *applied) == (
        0, "No session was told anything since 2026-07-01T00:00:00Z\n", "")
    place = resend.cursor(Key("incode", "11"))
    assert run("--since", SINCE, "--after", place, *applied) == (
        0, f"No other session was told anything since {SINCE}\n", "")
    assert aws.messages == []


def test_each_is_asked_for_once_at_the_rate_and_on_record(aws, run, tmp_path):
    code, output, _ = run("--since", SINCE, "--rate", "2", *APPLIED)
    assert code == 0 and output.startswith("Requested: the messages of 14 sessions, on record in ")
    asked = [(f"{each['provider']}/{each['sessionId']}", each["from"]) for each in aws.messages]
    assert asked == [(key, first) for key, first, _ in SINCE_THEN]
    assert [(line["which"], line["from"]) for line in audit_of(tmp_path)] == asked
    # Two by two, not ten at once.
    assert aws.pauses == [1.0] * 6


def test_an_interrupted_one_ends_between_two_calls_and_says_how_to_go_on(aws, run, tmp_path):
    aws.ends_after = 5
    code, output, error = run("--since", SINCE, *APPLIED)
    assert (code, output) == (130, "")
    place = re.fullmatch(f"notifications resend: interrupted: 10 sessions asked for; the same command with --since {SINCE} "
                         r"--after (\S+) asks for the others", error.strip())
    assert place and len(aws.messages) == len(audit_of(tmp_path)) == 10
    aws.ends_after = None
    assert run("--since", SINCE, "--after", place[1], *APPLIED)[0] == 0
    asked = [f"{each['provider']}/{each['sessionId']}" for each in aws.messages]
    assert asked == [key for key, _, _ in SINCE_THEN]


def test_one_that_aws_ends_says_how_to_go_on_too(aws, run):
    aws.fails_after = 10
    code, _, error = run("--since", SINCE, *APPLIED)
    assert code == 2 and error.count("\n") == 1
    assert "AWS refused SendMessageBatch: Slow down. It ended with 10 sessions asked for; the same command with " in error


@pytest.mark.parametrize("refused, asked, again", [("7", 9, 0), ("2", 9, 5), ("at", 9, 9)])
def test_one_of_which_sqs_takes_some_goes_on_with_the_first_that_it_did_not_take(aws, run, tmp_path, refused, asked, again):
    """Of the first ten: the last, one in the middle, and the first."""
    aws.refuses = {refused}
    code, _, error = run("--since", SINCE, *APPLIED)
    more = f", and for {again} again" if again else ""
    place = re.search(rf"It ended with {asked} sessions asked for; the same command with --since {SINCE}( --after \S+)? "
                      rf"asks for the others{more}\n", error)
    assert code == 2 and place and len(aws.messages) == len(audit_of(tmp_path)) == asked
    aws.refuses.clear()
    assert run("--since", SINCE, *(place[1] or "").split(), *APPLIED)[0] == 0
    times = Counter(f"{each['provider']}/{each['sessionId']}" for each in aws.messages)
    assert sorted(times) == sorted(key for key, _, _ in SINCE_THEN)
    assert sorted(times.values()) == [1] * (14 - again) + [2] * again


@pytest.mark.parametrize("key", ["veriff/1", "treezor/user:7", "wultra/a b'\"\x1b[2J\n", "incode/é/x"])
def test_a_place_to_go_on_from_is_plain_whatever_the_session_is_called(key):
    place = resend.cursor(Key.parse(key))
    assert re.fullmatch("[A-Za-z0-9_-]+", place) and str(resend.of_cursor(place)) == key
