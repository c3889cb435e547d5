"""Before anything is deployed, each built function starts once on this machine, with the environment that it is about to
get. The functions here are scripts; the end-to-end tests start real ones."""
from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional

import pytest
from botocore.exceptions import ClientError
from stack.deployment import webhooks
from stack.trial import Deployed, credentials
from verdict import start_check
from verdict.aws import Aws, Keys
from verdict.parameters import Parameter
from verdict.places import TEMPLATE
from verdict.planned import Planned, values
from verdict.problem import Problem
from verdict.stack import Stack

LOCAL = Aws.connect("http://127.0.0.1:1")
HERE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
SECRET = "Zk3sYdLm8wQ7rT2vB9xP"

BY_VARIABLE = {"VERIFF_CREDENTIALS": SECRET}

#: A function that works, as far as the check can see.
WORKS = f"""#!{sys.executable} -I
import json, os, urllib.request

invocation = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
with urllib.request.urlopen(invocation + "next") as asked:
    event, request = json.load(asked), asked.headers["Lambda-Runtime-Aws-Request-Id"]
answer = {{"started": True}}
if event != {{"doctor": True}}:
    answer = {{"statusCode": 400, "body": '{{"error":"event_unreadable"}}'}}
urllib.request.urlopen(invocation + request + "/response", json.dumps(answer).encode()).close()
urllib.request.urlopen(invocation + "next")
"""
#: One that says what is wrong, and ends.
ENDS = "#!/bin/sh\necho 'more' >&2\necho \"VERIFF_CREDENTIALS: $VERIFF_CREDENTIALS is wrong\" >&2\nexit 1\n"
#: One that says which variables it has.
TELLS = "#!/bin/sh\necho $(/usr/bin/env | cut -d= -f1) >&2\nexit 1\n"
OTHERWISE = WORKS.replace("event_unreadable", "more").replace('"started": True', '"ready": True')


class Stub:
    """What is about to be deployed: functions by whether they serve HTTP, all with the same variables."""

    def __init__(self, variables: Mapping[str, str], **functions: bool):
        self.variables, self._functions = dict(variables), functions

    def functions(self) -> list[str]:
        return [*self._functions]

    def environment(self, _: str) -> dict[str, str]:
        return self.variables

    def serves_http(self, function: str) -> bool:
        return self._functions[function]

    def unknown_secrets(self, _: str) -> list[str]:
        return [name for name, value in self.variables.items() if value == "****"]

    def value(self, _: Any) -> str:
        return "verdict"


def checked(build: Path, code: str, *, aws: Any = LOCAL, variables: Mapping[str, str] = BY_VARIABLE,
            **functions: bool) -> None:
    """Has a function of that code checked; if it isn't said otherwise, one that serves HTTP."""
    functions = functions or {"VeriffEvents": True}
    for name in functions:
        (build / name).mkdir()
        (build / name / "bootstrap").write_text(code)
        (build / name / "bootstrap").chmod(0o755)
    planned: Any = Stub(variables, **functions)
    start_check.check(aws, planned, build, HERE, [SECRET])


def test_functions_that_start_are_counted(tmp_path, capsys):
    checked(tmp_path, WORKS, VeriffEvents=True, Replay=False)
    assert "2 functions started on this machine with the new configuration" in capsys.readouterr().out


def test_a_function_that_ends_is_named_with_its_last_words_and_no_secret(tmp_path):
    with pytest.raises(Problem) as problem:
        checked(tmp_path, ENDS)
    assert str(problem.value).splitlines() == [
        "VeriffEvents does not start: VERIFF_CREDENTIALS: ***** is wrong", "nothing was deployed; START=0 skips this check"]


def test_a_function_that_never_asks_for_work_is_ended_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(start_check, "START_SECONDS", 0.3)
    with pytest.raises(Problem, match=r"VeriffEvents does not start: it didn't ask for work within 0\.3 s"):
        checked(tmp_path, "#!/bin/sh\nexec sleep 60\n")


@pytest.mark.parametrize("serves_http", [True, False])
def test_a_function_that_is_another_is_named(tmp_path, serves_http):
    with pytest.raises(Problem, match="VeriffEvents does not start: it answers otherwise"):
        checked(tmp_path, OTHERWISE, VeriffEvents=serves_http)


def test_a_function_gets_its_own_variables_and_lambdas_and_nothing_of_the_callers(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY", "canary")
    monkeypatch.setenv("AWS_PROFILE", "canary")
    with pytest.raises(Problem) as problem:
        checked(tmp_path, TELLS)
    told = set(str(problem.value).splitlines()[0].rpartition(": ")[2].split())
    assert {"VERIFF_CREDENTIALS", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_ACCESS_KEY_ID"} <= told
    assert {"CANARY", "AWS_PROFILE", "HOME", "AWS_SESSION_TOKEN"} & told == set()


# ---- What can't be checked, and is said ----

@pytest.mark.parametrize("system, machine, reason", [
    ("Linux", "riscv64", "this machine is riscv64"), ("Darwin", "arm64", "this machine runs Darwin")])
def test_on_another_machine_nothing_is_started_and_that_is_said(tmp_path, monkeypatch, capsys, system, machine, reason):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    checked(tmp_path, ENDS)
    assert "aren't started before the deployment: they are for" in (said := capsys.readouterr().out) and reason in said


def test_what_this_machine_cant_run_is_said(tmp_path, capsys):
    checked(tmp_path, "no executable")
    assert "VeriffEvents isn't started before the deployment: this machine can't run it" in capsys.readouterr().out


def test_a_secret_that_the_stack_keeps_and_the_caller_may_not_read_is_said(tmp_path, capsys):
    checked(tmp_path, ENDS, variables={"VERIFF_CREDENTIALS": "****"})
    assert "the stack keeps its VERIFF_CREDENTIALS, and you may not read them" in capsys.readouterr().out


@dataclass
class Caller:
    """A caller with keys of its own, who may read secrets or not."""

    may_read: bool
    region: str = "eu-west-1"
    endpoint: Optional[str] = None
    #: The secrets that were asked for, each with the region that was.
    asked: list[tuple[str, str]] = field(default_factory=list)

    def client(self, service: str) -> Caller:
        assert service == "secretsmanager"
        return self

    def get_secret_value(self, SecretId: str) -> None:
        self.asked.append((SecretId, self.region))
        if not self.may_read:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yours"}}, "GetSecretValue")

    def own_keys(self) -> Keys:
        return Keys("AKIACALLER", "secret", "token")


#: A secret's own region counts, as for the functions.
BY_ARN = {"VERIFF_CREDENTIALS_ARN": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:veriff"}


def test_a_function_fetches_its_secret_as_the_caller(tmp_path):
    with pytest.raises(Problem, match="does not start: AKIACALLER token"):
        code = '#!/bin/sh\necho "$AWS_ACCESS_KEY_ID $AWS_SESSION_TOKEN" >&2\nexit 1\n'
        checked(tmp_path, code, aws=Caller(True), variables=BY_ARN)


def test_a_secret_that_the_caller_may_not_read_is_said(tmp_path, capsys):
    caller = Caller(False)
    checked(tmp_path, ENDS, aws=caller, variables=BY_ARN)
    assert caller.asked == [(BY_ARN["VERIFF_CREDENTIALS_ARN"], "eu-central-1")]
    assert "you may not read its secret" in capsys.readouterr().out


# ---- What is planned ----

def test_what_is_planned_is_what_a_function_then_has(endpoint):
    given = [Parameter(name, 1, value) for name, value in {**credentials("Incode", "Veriff"), "LogLevel": "WARN"}.items()]
    before = Planned(TEMPLATE, values(given, None, {}), Aws.connect(endpoint), "planned")
    with Deployed(endpoint, "planned", **{each.name: each.value for each in given}) as deployed:
        stack = Stack.require(Aws.connect(endpoint), "planned")
        planned = Planned(TEMPLATE, values(given, stack, {}), stack.aws, "planned", stack)
        assert set(planned.functions()) == set(before.functions()) == set(deployed.of_type("AWS::Lambda::Function"))
        for function in planned.functions():
            found = deployed.variables(deployed.resources[function].removeprefix("planned-"))
            found.pop("AWS_ENDPOINT_URL", None)
            assert planned.environment(function) == found
            # Before there is a stack, the names are other ones, for the same variables.
            assert before.environment(function).keys() == planned.environment(function).keys()
            assert planned.serves_http(function) == (function not in (
                "IncodePoller", "OutboxRelay", "RebuildPreview", "Replay"))


class Known:
    """What a stack's template says: its functions have the credentials of all but Incode."""

    def resources(self, _: str) -> list[str]:
        return [f"{provider.upper()}_CREDENTIALS" for provider in webhooks.PROVIDERS if provider != "incode"]

    def properties(self, name: str) -> dict:
        return {"Environment": {"Variables": {name: "****"}}}


def test_a_value_comes_from_the_file_else_from_the_stack_else_from_the_template():
    deployed = {"LogLevel": "WARN", "RetentionDays": "30", "Older": "x", **dict.fromkeys((
        "IncodeCredentials", "TreezorCredentials", "VeriffCredentials", "WultraCredentials"), "****")}
    stack = Stack(LOCAL, "s", "arn:aws:cloudformation:eu-west-1:000000000000:stack/s/1", {}, deployed)
    stack.__dict__["template"] = Known()
    found = values([Parameter("LogLevel", 1, "DEBUG")], stack, {"veriff": SECRET})
    assert (found["LogLevel"], found["RetentionDays"], found["LogRetentionDays"]) == ("DEBUG", "30", "90")
    # One that the caller may see, two that stay hidden, and one that is hidden though there is none.
    assert [found[f"{provider}Credentials"] for provider in ("Veriff", "Treezor", "Wultra", "Incode")] == [
        SECRET, "****", "****", ""]
    assert "Older" not in found
