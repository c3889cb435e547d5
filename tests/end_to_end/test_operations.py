"""The operator's commands against real functions: what the doctor finds, and a second stack's life beside the first, from
its first deploy to the restore of its table."""
from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from stack.deployment import LIGHT_PROFILE, ROOT, architecture, directory_of, one_build_at_a_time, webhooks
from stack.samples import believing
from stack.steps import without_aws
from verdict import command_line, deploy, live, restore_drill
from verdict.aws import Aws
from verdict.deployed import ALIAS
from verdict.restore_drill import Witness
from verdict.stack import Stack

from .incode import poller_mapping, poller_rule

#: So long may a doctor take, and a rollback.
DOCTOR_SECONDS = 15
ROLLBACK_SECONDS = 5
SECOND = "second"
#: What a secret may hold that YAML, sam or a shell could take for something else.
HARD_SECRET = "a\"b\\c\\\"d'e $f $(g) {h} %i # j: 'k' -- \u00e9\u20ac0123456789"


# ---- The doctor ----

def doctor(verdict, *arguments: str) -> subprocess.CompletedProcess:
    """Runs `make doctor`, but that the local credentials are the functions' own."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operations")}
    return subprocess.run(
        [ROOT / ".venv/operations/bin/python", "-m", "verdict", "doctor", "--endpoint", verdict.endpoint, *arguments],
        cwd=directory_of(urllib.parse.urlsplit(verdict.endpoint).port) / "build", env=without_aws(environment),
        capture_output=True, text=True, timeout=120)


@pytest.fixture
def healthy(verdict):
    """The stack with its poller's schedule and wake-ups on, as it was deployed."""
    rules, rule = verdict.client("events"), poller_rule(verdict)
    functions, mapping = verdict.client("lambda"), poller_mapping(verdict)
    rules.enable_rule(Name=rule)
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    yield verdict
    rules.disable_rule(Name=rule)
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)


@contextlib.contextmanager
def without_route(stack, key: str) -> Iterator[None]:
    gateway = stack.client("apigatewayv2")
    [route] = [each for each in gateway.get_routes(ApiId=stack.api_id)["Items"] if each["RouteKey"] == key]
    gateway.delete_route(ApiId=stack.api_id, RouteId=route["RouteId"])
    try:
        yield
    finally:
        gateway.create_route(ApiId=stack.api_id, **{
            name: route[name] for name in ("RouteKey", "Target", "AuthorizationType")})


@contextlib.contextmanager
def without_permission(stack, role: str, action: str) -> Iterator[None]:
    iam, name = stack.client("iam"), stack.resource(role)
    documents = {policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                 for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]}

    def put(taken_away: str) -> None:
        for policy, document in documents.items():
            statements = [{**one, "Action": [each for each in listed(one["Action"]) if each != taken_away]}
                          for one in document["Statement"]]
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(
                {**document, "Statement": statements}))

    put(action)
    try:
        yield
    finally:
        put("none")


def listed(one_or_more: Any) -> list:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


@contextlib.contextmanager
def without_expiry(stack) -> Iterator[None]:
    def put(enabled: bool) -> None:
        stack.client("dynamodb").update_time_to_live(
            TableName=stack.outputs["SessionsTableName"],
            TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "expiresAt"})

    put(False)
    try:
        yield
    finally:
        put(True)


def bad(run: subprocess.CompletedProcess) -> list[str]:
    return [line.removeprefix("BAD   ") for line in run.stdout.splitlines() if line.startswith("BAD ")]


def test_the_doctor_finds_nothing_in_a_stack_that_works_and_says_what_to_paste(healthy):
    begun = time.monotonic()
    run = doctor(healthy)
    assert (run.returncode, run.stderr, bad(run)) == (0, "", [])
    assert time.monotonic() - begun < DOCTOR_SECONDS
    for output in ("VeriffEventsUrl", "VeriffDecisionsUrl", "IncodeWebhooksUrl", "IncodeTokenUrl", "WultraUrl"):
        assert f": {healthy.outputs[output]}\n" in run.stdout
    assert f": {healthy.outputs['TreezorUrl']}?token=TOKEN\n" in run.stdout
    assert_no_local_secret(run.stdout)


def test_a_route_a_permission_an_expiry_and_a_secret_broken_by_hand_are_four_findings_by_name(healthy):
    other = json.dumps({"secrets": ["Zk3sYdLm8wQ7rT2vB9xP"], "urlTokens": ["uJ5hGf2Nc6Xq8Wz1RtYk4Vb7Mn0Ls3Pd"]})
    given = directory_of(urllib.parse.urlsplit(healthy.endpoint).port) / "parameters.yaml"
    with without_route(healthy, "GET /sessions"), without_permission(healthy, "ReplayRole", "sqs:DeleteMessage"), \
            without_expiry(healthy), healthy.reconfigured("TreezorWebhooks", TREEZOR_CREDENTIALS=other):
        run = doctor(healthy, "--parameters", str(given))
    assert run.returncode == 1
    findings = sorted(bad(run))
    assert len(findings) == 4, findings
    route, permission, expiry, secret = findings
    assert route.startswith("Api: the route GET /sessions is gone;")
    assert permission.startswith("ReplayRole: lacks the permission: allow sqs:DeleteMessage on IntakeQueue;")
    assert expiry.startswith("SessionsTable: items do not expire")
    assert secret.startswith("Treezor: probes are answered with 500 (refused) instead of 200 (probe), with ")
    assert "the function has other credentials than parameters.yaml" in secret
    assert "Zk3sYdLm8" not in run.stdout
    assert_no_local_secret(run.stdout)


def test_a_function_that_does_not_start_is_named(healthy):
    with healthy.reconfigured("WultraEvents", WULTRA_CREDENTIALS='{"basic":[{"username":"wultra","password":"short"}]}'):
        findings = bad(doctor(healthy))
    assert any(finding.startswith("WultraEvents: does not start") for finding in findings), findings


def test_a_refusal_of_the_doctors_own_address_is_as_it_should_be_and_a_wrong_secret_behind_it_is_not(healthy):
    keys = webhooks.credentials("treezor", webhooks.LOCAL_CREDENTIALS)
    elsewhere = {**keys, "allowedCidrs": ["203.0.113.0/24"]}
    with healthy.reconfigured("TreezorWebhooks", TREEZOR_CREDENTIALS=json.dumps(elsewhere)):
        run = doctor(healthy)
    assert (run.returncode, bad(run)) == (0, []), run.stdout
    assert "Treezor: refuses this machine's address (address_not_allowed)" in run.stdout
    other = {**elsewhere, "secrets": ["Zk3sYdLm8wQ7rT2vB9xP"]}
    given = directory_of(urllib.parse.urlsplit(healthy.endpoint).port) / "parameters.yaml"
    with healthy.reconfigured("TreezorWebhooks", TREEZOR_CREDENTIALS=json.dumps(other)):
        run = doctor(healthy, "--parameters", str(given))
    assert any(finding.startswith("Treezor: probes are answered with 500 (refused)") for finding in bad(run)), run.stdout


def test_probes_go_past_an_edge_and_the_doctor_says_so(healthy):
    keys = webhooks.credentials("treezor", webhooks.LOCAL_CREDENTIALS)
    behind = {**keys, "edgeHeader": {"x-edge": ["edge-9bN4vR7tK2wQ5zX8"]}}
    with healthy.reconfigured("TreezorWebhooks", TREEZOR_CREDENTIALS=json.dumps(behind)):
        run = doctor(healthy)
    assert (run.returncode, bad(run)) == (0, []), run.stdout
    assert "Treezor: its probes carry edgeHeader and go past the edge" in run.stdout


def assert_no_local_secret(text: str) -> None:
    for secret in secrets_of(webhooks.read_json(webhooks.LOCAL_CREDENTIALS)):
        assert secret not in text


def secrets_of(keys: Any) -> Iterator[str]:
    """The texts of credentials, except short names."""
    if isinstance(keys, str):
        yield from [keys] if len(keys) > 12 else []
    for each in keys.values() if isinstance(keys, dict) else keys if isinstance(keys, list) else []:
        yield from secrets_of(each)


# ---- A second stack ----

class Operated:
    """The second stack, as its operator commands it: in this process, with the functions built beside the first's."""

    def __init__(self, verdict, parameters: Path):
        self.verdict, self.file = verdict, parameters
        self.aws = Aws.connect(verdict.endpoint)

    def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as error:
            status = command_line.main(
                [command, "--stack-name", SECOND, "--endpoint", self.verdict.endpoint, *arguments])
        return status, output.getvalue(), error.getvalue()

    def deploy(self, parameters: dict[str, Any], *arguments: str) -> tuple[int, str, str]:
        self.file.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in parameters.items()), "utf-8")
        return self.run("deploy", "--parameters", str(self.file), *arguments)

    @property
    def stack(self) -> Stack:
        return Stack.require(self.aws, SECOND)


TREEZOR = {"secrets": [HARD_SECRET], "urlTokens": ["url-token-of-second-0123456789xyz"]}
PARAMETERS = {
    "Architecture": architecture(),
    # With what a shell, YAML and sam would each take for their own at its end, too.
    "TreezorCredentials": json.dumps(TREEZOR) + " \n",
    "VeriffCredentials": {"secrets": ["veriff-secret-of-second-0123456789"]},
}


BUILD = deploy.build


def build_alone(*arguments: Any) -> None:
    with one_build_at_a_time():
        BUILD(*arguments)


@pytest.fixture(scope="module")
def second(verdict, tmp_path_factory):
    """The second stack on the first's emulator."""
    directory = directory_of(urllib.parse.urlsplit(verdict.endpoint).port)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "BUILD", directory / "build-of-second")
        patch.setattr(deploy, "build", build_alone)
        for name, value in LIGHT_PROFILE.items():
            patch.setenv(name, value)
        yield Operated(verdict, tmp_path_factory.mktemp("second") / "parameters.yaml")


@pytest.fixture
def without_build(monkeypatch):
    """Deploys what was built already."""
    monkeypatch.setattr(deploy, "build", lambda aws, processor: None)


def test_a_stack_is_deployed_with_secrets_as_they_are_and_none_is_shown(second):
    status, output, error = second.deploy(PARAMETERS, "--tags", "team=identity stage=test")
    assert (status, error) == (0, ""), output
    functions = second.aws.client("lambda")
    has = functions.get_function_configuration(FunctionName=f"{SECOND}-treezor-webhooks:{ALIAS}")["Environment"]["Variables"]
    assert has["TREEZOR_CREDENTIALS"] == PARAMETERS["TreezorCredentials"]
    has = functions.get_function_configuration(FunctionName=f"{SECOND}-veriff-events")["Environment"]["Variables"]
    assert json.loads(has["VERIFF_CREDENTIALS"]) == PARAMETERS["VeriffCredentials"]
    for secret in secrets_of([TREEZOR, PARAMETERS["VeriffCredentials"]]):
        for shown in (secret, json.dumps(secret)[1:-1]):
            assert shown not in output
    [described] = second.aws.client("cloudformation").describe_stacks(StackName=SECOND)["Stacks"]
    assert {tag["Key"]: tag["Value"] for tag in described["Tags"]} == {"team": "identity", "stage": "test"}
    assert second.stack.outputs["Version"] not in ("", "unknown")


def test_the_same_again_changes_nothing(second, without_build):
    [before] = second.aws.client("cloudformation").describe_stacks(StackName=SECOND)["Stacks"]
    status, output, error = second.deploy(PARAMETERS, "--tags", "team=identity stage=test")
    assert (status, error) == (0, ""), output
    assert "No changes to deploy" in output
    [after] = second.aws.client("cloudformation").describe_stacks(StackName=SECOND)["Stacks"]
    assert after["LastUpdatedTime"] == before["LastUpdatedTime"]


def test_two_stacks_share_no_queue_table_function_log_group_or_metric(second, verdict):
    first = Stack.require(second.aws, "verdict")
    for kind in ("AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::IAM::Role",
                 "AWS::Events::Rule", "AWS::ApiGatewayV2::Api"):
        ours, theirs = ({*each.template.resources(kind).values()} for each in (second.stack, first))
        assert ours and theirs and not ours & theirs, kind
    functions = second.aws.client("lambda")
    namespaces = {
        stack.name: {functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]["VERDICT_NAMESPACE"]
                     for name in stack.template.resources("AWS::Lambda::Function").values()}
        for stack in (first, second.stack)}
    assert namespaces == {"verdict": {"verdict"}, SECOND: {SECOND}}
    # What one is told, the other knows nothing of, not even the proof.
    witness = Witness.of(first, "treezor")
    assert witness.decide(first, 0).outcome == "recorded"
    assert witness.decide(second.stack, 0).outcome == "refused"
    own = Witness("treezor", witness.session, TREEZOR)
    assert own.sequence(second.stack, second.stack.outputs["SessionsTableName"]) is None
    assert own.decide(second.stack, 0).outcome == "recorded"
    assert len(second_inbox(second)) == 1


def test_a_mistake_in_the_file_is_refused_and_changes_nothing(second):
    [before] = second.aws.client("cloudformation").describe_stacks(StackName=SECOND)["Stacks"]
    for wrong in ({"VerifCredentials": "canary-0123456789abc"}, {"WultraCredentials": {"secrets": ["canary-0123456789abc"]}},
                  {"VeriffCredentials": {"secrets": ["canary"]}}, {"LogLevel": "canary-0123456789abc"}):
        status, output, error = second.deploy({**PARAMETERS, **wrong})
        assert status == 2 and len(error.splitlines()) == 1, error
        assert output == "" and "canary" not in error
    [after] = second.aws.client("cloudformation").describe_stacks(StackName=SECOND)["Stacks"]
    assert after["LastUpdatedTime"] == before["LastUpdatedTime"]


def test_with_the_check_switched_off_the_doctor_finds_what_leaves_a_trace(second, without_build):
    # sam takes the file as it is, so that no other secret may be a hard one.
    weak = {**PARAMETERS, "VeriffCredentials": '{"secrets":["canary-weak"]}',
            "TreezorCredentials": '{"secrets":["Zk3sYdLm8wQ7rT2vB9xP"]}'}
    status, output, _ = second.deploy(weak, "--no-check")
    assert status == 1 and "canary-weak" not in output
    for function in ("VeriffEvents", "VeriffDecisions"):
        assert f"BAD   {function}: does not start" in output
    # So it is taken back, in every function.
    assert "What was live before is live again, in 8 functions" in output
    assert variables(second, "treezor-webhooks")["TREEZOR_CREDENTIALS"] == PARAMETERS["TreezorCredentials"]
    assert "BAD   live: " in output and "that was taken back" in output


def variables(second: Operated, function: str) -> dict[str, str]:
    """The environment of a function's live version."""
    return second.aws.client("lambda").get_function_configuration(
        FunctionName=f"{SECOND}-{function}:{ALIAS}")["Environment"]["Variables"]


def versions(second: Operated) -> set[str]:
    return {pointer.version for pointer in live.read(second.stack).values()}


def test_a_release_whose_function_does_not_start_is_found_before_anything_changes(second, without_build, monkeypatch):
    before = versions(second)
    broken = deploy.BUILD.with_name("broken-build-of-second")
    shutil.copytree(deploy.BUILD, broken, copy_function=os.link)
    (broken / "TreezorWebhooks" / "bootstrap").unlink()
    shutil.copy(broken / "WultraEvents" / "bootstrap", broken / "TreezorWebhooks" / "bootstrap")
    monkeypatch.setattr(deploy, "BUILD", broken)
    status, _, error = second.deploy(PARAMETERS)
    assert status == 2 and error.splitlines() == [
        "deploy: TreezorWebhooks does not start: Error: WULTRA_CREDENTIALS is not set, and neither is "
        "WULTRA_CREDENTIALS_ARN; the function can't start without one of them",
        "deploy: nothing was deployed; START=0 skips this check"]
    assert versions(second) == before


def test_a_changed_parameter_is_live_and_a_rollback_takes_it_back_within_seconds(second, without_build):
    status, output, error = second.deploy({**PARAMETERS, "LogLevel": "WARN"})
    assert (status, error) == (0, ""), output
    assert variables(second, "replay")["VERDICT_LOG"] == "WARN"
    begun = time.monotonic()
    status, output, error = second.run("rollback")
    assert (status, error) == (0, "") and f"{SECOND} went from " in output
    assert time.monotonic() - begun < ROLLBACK_SECONDS
    assert variables(second, "replay")["VERDICT_LOG"] == "INFO"
    # It works, and the doctor says that it isn't what was deployed last.
    status, output, _ = second.run("doctor", "--parameters", str(second.file))
    assert [line for line in output.splitlines() if line.startswith("BAD")] == [
        line for line in output.splitlines() if line.startswith("BAD   live: ")] != []


def test_a_kept_table_goes_on_in_the_next_stack(second, without_build):
    witness, kept = Witness.of(second.stack, "treezor"), second.stack.outputs["SessionsTableName"]
    assert witness.decide(second.stack, 0).outcome == "recorded"
    quarantine = second.stack.outputs["QuarantineQueueUrl"]

    # As long as something waits, nothing is deleted.
    waiting = set_aside(second, quarantine)
    status, _, error = second.run("delete")
    assert status == 2 and "1 message on QuarantineQueue" in error and len(error.splitlines()) == 1
    waiting()
    [message] = second_inbox(second)
    assert json.loads(message["Body"])["data"]["sequence"] == 1
    status, output, error = second.run("delete")
    assert (status, error) == (0, "") and kept in output and quarantine in output
    assert Stack.find(second.aws, SECOND) is None

    status, output, error = second.deploy({**PARAMETERS, "SessionsTableName": kept})
    assert (status, error) == (0, ""), output
    assert second.stack.outputs["SessionsTableName"] == kept
    witness = Witness("treezor", witness.session, TREEZOR)
    assert witness.decide(second.stack, 0).outcome == "duplicate"
    assert witness.decide(second.stack, 1).outcome == "recorded"
    assert witness.sequence(second.stack, kept) == 2
    [message] = second_inbox(second)
    assert json.loads(message["Body"])["data"]["sequence"] == 2

    # Not even by the way is the table given up.
    status, _, error = second.deploy({**PARAMETERS, "SessionsTableName": ""})
    assert status == 2 and f"uses the table {kept}" in error and len(error.splitlines()) == 1
    status, output, error = second.deploy(PARAMETERS)
    assert (status, error) == (0, "") and "No changes to deploy" in output


def set_aside(second: Operated, url: str) -> Callable[[], None]:
    """Puts a message on the quarantine, for which its policy has to be lifted; gives what takes it off again."""
    queues = second.aws.client("sqs")
    policy = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    queues.send_message(QueueUrl=url, MessageBody=json.dumps({"set": "aside", "id": str(uuid.uuid4())}))
    queues.set_queue_attributes(QueueUrl=url, Attributes=policy)

    def take_off() -> None:
        [message] = queues.receive_message(QueueUrl=url)["Messages"]
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    return take_off


def second_inbox(second: Operated) -> list[dict]:
    """Consumes the second stack's decisions."""
    queues, url = second.aws.client("sqs"), second.stack.outputs["DecisionsQueueUrl"]
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    for message in messages:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


@pytest.mark.parametrize("provider", restore_drill.DECISIONS)
def test_the_drill_can_have_a_session_of_any_provider_decided_twice(verdict, provider):
    stack = Stack.require(Aws.connect(verdict.endpoint), "verdict")
    witness, table = Witness.of(stack, provider), stack.outputs["SessionsTableName"]
    with believing(verdict) if provider == "incode" else contextlib.nullcontext():
        for number in (0, 1):
            witness.record(stack, number)
            assert witness.sequence(stack, table) == number + 1


def test_the_drill_takes_a_provider_whose_webhooks_decide_by_themselves():
    keys = {"headers": {"x-incode-secret": ["any"]}, "api": {}}
    assert [restore_drill.decides(keys | more) for more in ({}, {"confirmDecisions": True}, {"confirmDecisions": False})] \
        == [False, False, True]
    assert restore_drill.decides({"headers": keys["headers"]}) and restore_drill.decides({"secrets": ["any"]})


def test_the_drill_restores_the_table_and_tells_its_times(second):
    before = second.stack.outputs["SessionsTableName"]
    restored = f"{SECOND}-restored"
    status, output, error = second.run("restore-drill", "--table", restored)
    assert (status, error) == (0, ""), output
    assert second.stack.outputs["SessionsTableName"] == restored
    for step in (f"Restoring {before} into {restored}", "Putting back the settings",
                 f"Having {SECOND} use {restored}, with SequenceBase 1000", "Asking the doctor", "in all"):
        assert step in output
    for setting in ("items do not expire", "point-in-time recovery is off", "deletion protection is off"):
        assert f"Mending: {setting}" in output
    assert "its next decision has the sequence above the base (1001)" in output
