"""Every command of the runbook works as it is printed, for a role with just the permissions that the runbook asks for."""
from __future__ import annotations

import itertools
import re
import shutil
import uuid

import boto3
import pytest
from stack.deployment import ROOT

from .aws_cli import Refused, Shell, fits, run
from .deliveries import decision, genuine, post

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="the commands need jq, and their stand-in curl")

PAGE = (ROOT / "docs/operate.md").read_text("utf-8")
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: The text of each section, by its heading.
SECTIONS = dict(zip(*[iter(re.split(r"^##+ (.+)\n", PAGE, flags=re.MULTILINE)[1:])] * 2))
#: The command line's own, each of which test_command_line.py tries.
OWN = re.compile(r"^\./verdict .*\n", re.MULTILINE)
#: The other commands of each section.
SCRIPTS = {title: OWN.sub("", "".join(FENCED.findall(text))) for title, text in SECTIONS.items() if FENCED.search(text)}
#: The functions that the others use.
FUNCTIONS = SCRIPTS.pop("Before you start")
#: What some of them print, after what `lived` has happened.
PRINTED = {
    "Alarms": r"^verdict-DeadLettersAlarm-\w+\t",
    "A function fails": r"/IncodePollerLogs\ta message on the wake-up queue is dropped\t",
    "`wakeUpUnreadable` counts": r"^a message on the wake-up queue is dropped\t",
    "A function is throttled": r'"ConcurrentExecutions": \d+',
    "Both stores are out": r"^ACTIVE$",
    "`intake` grows, or `oldestIntake` does": r"^Enabled\b",
    "The quarantine is not empty": r'"reason": "not_json",\n(.*\n)+\{(.*\n)+Nothing can be moved just now: 1 message',
    "Webhooks are refused": r"^ +\d+ signature_mismatch\t127\.0\.0\.1$",
    "A provider is silent": r"^ +\d+ signature_mismatch$",
    "A secret can't be used": r'"versions": \{\n.*\n +"AWSCURRENT"',
    "The outbox is old": r"^\d+\t0\t\d+\n(.*\n)*(EN|DIS)ABLED$",
    "Decisions wait for a consumer": r'"waiting": "\d+"',
    "Polls are late": r"^\d+\t\d+\t\d+\t\d+\n(.*\n)*(EN|DIS)ABLED$",
    "Logs": r"/IncodePollerLogs\n",
}


@pytest.fixture(scope="module")
def shell(verdict):
    with Shell(verdict, verdict.operator) as shell:
        yield shell


@pytest.fixture(scope="module", autouse=True)
def lived(verdict):
    """Something of what the runbook is about has happened."""
    session = decision(str(uuid.uuid4()))
    # What other tests have left there would be printed in place of this one's.
    verdict.client("sqs").purge_queue(QueueUrl=verdict.outputs["QuarantineQueueUrl"])
    for delivery in (genuine(session), genuine(session).but("x-hmac-signature", "0" * 64), genuine(b"{")):
        post(verdict, delivery)
    # The last one is asked what isn't a request, and warns of it.
    for function in ("OutboxRelay", "IncodePoller", "VeriffDecisions"):
        verdict.invoke(function)
    verdict.invoke("IncodePoller", {"Records": [{"messageId": "1", "body": "?"}]})
    verdict.client("cloudwatch").set_alarm_state(
        AlarmName=verdict.resource("DeadLettersAlarm"), StateValue="ALARM", StateReason="a test's")


def filled_in(script: str) -> str:
    """A script with what a person puts in the place of `<…>`."""
    script = script.replace("<URL of a queue>", '"$(output QuarantineQueueUrl)"')
    script = script.replace("<one of them>", "<that of replay>")
    return re.sub(r"<that of ([a-z-]+)>", lambda found: f'"$(resource {logs_of(found[1])})"', script)


def logs_of(function: str) -> str:
    """What the template calls a function's log group."""
    return f"{function.title().replace('-', '')}Logs"


@pytest.mark.parametrize("title", SCRIPTS)
def test_every_command_works_as_it_is_printed(verdict, shell, title):
    script = filled_in(SCRIPTS[title]).replace("http://127.0.0.1:4566", verdict.endpoint)
    printed = shell.run(FUNCTIONS + script)
    assert re.search(PRINTED.get(title, ""), printed, re.MULTILINE), printed


def commands() -> set[tuple[str, str]]:
    """The service and the operation of each command on the page, in its scripts and in its text."""
    return {(service, operation) for service, operation in re.findall(r"\baws ([a-z0-9]+) ([a-z-]+)\b", PAGE)
            if (service, operation) != ("logs", "tail")}


def test_every_command_is_one_and_needs_a_permission_that_the_page_names():
    named = set(re.findall(r"`(\w+:\w+)`", SECTIONS["What an operator may do"]))
    assert len(commands()) > 15
    lacking = {f"{service}:{operation_of(service, operation)}" for service, operation in commands()} - named
    # They are for someone else: an administrator.
    assert lacking == {"secretsmanager:RestoreSecret", "secretsmanager:PutSecretValue"}


def operation_of(service: str, operation: str) -> str:
    """What AWS calls the operation of a command."""
    client = boto3.client(service, region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none")
    return client.meta.method_to_api_mapping[operation.replace("-", "_")]


def test_every_section_with_commands_is_about_an_alarm_or_one_of_those_that_are_not():
    others = {"Alarms", "A provider says that a webhook failed", "Logs", "Who has read records",
              "Which messages went out", "Send messages again"}
    assert {title for title in SCRIPTS if "Alarm`" not in SECTIONS[title]} == others - {"Alarms"}


# ---- The stand-in for AWS's command line ----

@pytest.mark.parametrize("command, problem", [
    ("sqs list-cues", "sqs has no operation list-cues"),
    ("sqs get-queue-attributes --queue x", "has no --queue"),
    ("sqs get-queue-attributes --attribute-names All", 'Missing required parameter in input: "QueueUrl"'),
    ("cloudwatch describe-alarms --max-records many", "invalid literal"),
])
def test_a_command_that_aws_does_not_know_is_an_error(verdict, command, problem):
    with pytest.raises((Refused, ValueError), match=problem):
        run(command.split(), verdict.client)


@pytest.mark.parametrize("pattern, line, is_there", [
    ('{ $.a = "x" }', '{"a":"x"}', True),
    ('{ $.a = "x" }', '{"a":"y"}', False),
    ('{ $.a = "x" }', "START RequestId: x", False),
    ('{ $.a = "x" && $.n > 0 }', '{"a":"x","n":0}', False),
    ('{ $.a = "x" || $.n > 0 }', '{"a":"y","n":1}', True),
    ('{ $.r = "POST /wultra/*" }', '{"r":"POST /wultra/process/event"}', True),
    ('{ $.r = "POST /wultra/*" }', '{"r":"POST /veriff/events"}', False),
    ('{ $.s != "200" }', '{"s":"413"}', True),
    ('{ $.s != "200" }', '{"s":"200"}', False),
])
def test_a_pattern_finds_the_lines_that_cloudwatch_would_find(pattern, line, is_there):
    assert fits(pattern, line) == is_there


def test_every_member_that_a_pattern_looks_at_is_one_of_a_lines(verdict):
    log = verdict.client("logs")
    groups = verdict.outputs["LogGroups"].split(",")
    lines = itertools.chain(*(log.filter_log_events(logGroupName=group)["events"] for group in groups))
    members = {name for line in lines for name in re.findall(r'"(\w+)":', line["message"])}
    asked = {name for script in SCRIPTS.values() for name in re.findall(r"\$\.(\w+)", script)}
    # API Gateway's own log, which the emulator doesn't write.
    assert asked - members <= {"route", "status"}
