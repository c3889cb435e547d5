"""Versions and aliases as the template makes them; with functions that only tell what they were called with."""
from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from verdict import deploy, live, rollback
from verdict.aws import Aws, Keys
from verdict.deployed import ALIAS_ID
from verdict.doctor import new_version
from verdict.parameters import Parameter
from verdict.problem import Problem
from verdict.stack import Stack

from .deployment import client
from .trial import Deployed, credentials

FIRST, SECOND, THIRD = "1111111111-a", "2222222222-b", "3333333333-c"

#: A stack as small as one can be that is deployed, and taken back, as Verdict is.
SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  LogLevel: { Type: String }
  Version: { Type: String, Default: v0.1.0 }
  Release: { Type: String, Default: '' }
Globals:
  Function:
    CodeUri: .
    Runtime: provided.al2023
    Handler: bootstrap
    AutoPublishAlias: live
    Environment: { Variables: { VERDICT_LOG: !Ref LogLevel, VERDICT_VERSION: !Ref Version } }
Resources:
  One: { Type: AWS::Serverless::Function, Properties: { Description: One., AutoPublishCodeSha256: !Ref Release } }
  Two: { Type: AWS::Serverless::Function, Properties: { Description: Two., AutoPublishCodeSha256: !Ref Release } }
Outputs:
  IntakeQueueUrl: { Value: none }
  Version: { Value: !Ref Version }
"""


class Small(Deployed):
    """The small stack."""

    template = SMALL


@pytest.fixture
def deployed(endpoint):
    with Small(endpoint, "versions", Release=FIRST, LogLevel="INFO") as stack:
        yield stack


@pytest.fixture(scope="module")
def whole(endpoint):
    with Deployed(endpoint, "aliases", **credentials("Incode", "Wultra"), Release=FIRST) as stack:
        stack.bridge()
        yield stack


def found(deployed: Deployed) -> Stack:
    return Stack.require(Aws.connect(deployed.endpoint), deployed.name)


def release(deployed: Deployed, name: str, **parameters: str) -> Stack:
    """Deploys as `make deploy` does."""
    before = live.read(found(deployed))
    deployed.update(Release=name, **parameters)
    live.remember(found(deployed), before)
    return found(deployed)


def levels(deployed: Deployed) -> set[str]:
    """The log levels that the live versions have."""
    functions = client("lambda", deployed.endpoint)
    return {functions.get_function_configuration(FunctionName=f"{name}:live")["Environment"]["Variables"]["VERDICT_LOG"]
            for name in deployed.of_type("AWS::Lambda::Function").values()}


def versions(deployed: Deployed) -> set[str]:
    return {each.version for each in live.read(found(deployed)).values()}


def zipped(code: str) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", code)
    return package.getvalue()


def test_a_changed_parameter_alone_publishes_a_version_of_each_function_and_makes_it_live(deployed):
    assert (levels(deployed), versions(deployed)) == ({"INFO"}, {"1"})
    release(deployed, SECOND, LogLevel="DEBUG")
    assert (levels(deployed), versions(deployed)) == ({"DEBUG"}, {"2"})


def test_the_same_again_publishes_nothing(deployed):
    with pytest.raises(ClientError, match="No updates are to be performed"):
        deployed.update(Release=FIRST, LogLevel="INFO")
    assert versions(deployed) == {"1"}


def test_all_that_starts_a_function_starts_the_live_version(whole):
    aliases = {arn for name, arn in whole.resources.items() if name.endswith(ALIAS_ID)}
    assert len(aliases) == len(whole.functions)
    gateway, api = client("apigatewayv2", whole.endpoint), whole.resources["Api"]
    led = {each["IntegrationUri"] for each in gateway.get_integrations(ApiId=api)["Items"]}
    rules = client("events", whole.endpoint)
    scheduled = {target["Arn"] for rule in whole.of_type("AWS::Events::Rule").values()
                 for target in rules.list_targets_by_rule(Rule=rule)["Targets"]}
    functions = client("lambda", whole.endpoint)
    consuming = {functions.get_event_source_mapping(UUID=mapping)["FunctionArn"]
                 for mapping in whole.of_type("AWS::Lambda::EventSourceMapping").values()}
    for started in (led, scheduled, consuming):
        assert started and started <= aliases


def test_a_request_reaches_the_live_version_and_not_the_newest_code(whole):
    functions, name = client("lambda", whole.endpoint), whole.resources["WultraEvents"]
    functions.update_function_code(FunctionName=name, ZipFile=zipped("#!/bin/sh\nexit 1\n"))
    assert whole.reached("/wultra/process/event") == "wultra-events"


def test_without_a_release_a_changed_parameter_publishes_nothing_as_with_plain_sam(endpoint):
    with Small(endpoint, "plain", LogLevel="INFO") as deployed:
        deployed.update(LogLevel="DEBUG")
        assert (levels(deployed), versions(deployed)) == ({"INFO"}, {"1"})


# ---- Rollback ----

def test_a_rollback_makes_the_version_before_live_and_says_from_which_release_to_which(deployed, capsys):
    release(deployed, SECOND, LogLevel="DEBUG", Version="v0.1.0-5-gabcdef0")
    rollback.rollback(found(deployed), force=True)
    assert levels(deployed) == {"INFO"}
    said = capsys.readouterr().out
    assert f"from v0.1.0-5-gabcdef0 (release {SECOND[:10]}) to v0.1.0 (release {FIRST[:10]})" in said


def test_a_second_rollback_goes_one_further_and_a_third_has_nowhere_to_go(deployed):
    release(deployed, SECOND, LogLevel="DEBUG")
    release(deployed, THIRD, LogLevel="WARN")
    for level in ("DEBUG", "INFO"):
        rollback.rollback(found(deployed))
        assert levels(deployed) == {level}
    with pytest.raises(Problem, match="no function of versions has an earlier version"):
        rollback.rollback(found(deployed))


def test_after_a_rollback_the_next_deployment_is_live_and_what_was_taken_back_is_passed_over(deployed):
    release(deployed, SECOND, LogLevel="DEBUG")
    rollback.rollback(found(deployed))
    release(deployed, THIRD, LogLevel="WARN")
    assert levels(deployed) == {"WARN"}
    rollback.rollback(found(deployed))
    assert levels(deployed) == {"INFO"}


def test_a_release_can_be_named_by_its_version_or_its_digest(deployed):
    release(deployed, SECOND, LogLevel="DEBUG", Version="v0.1.0-5-gabcdef0")
    release(deployed, THIRD, LogLevel="WARN", Version="v0.1.0-9-gabcdef0")
    rollback.rollback(found(deployed), to="v0.1.0", force=True)
    assert levels(deployed) == {"INFO"}
    rollback.rollback(found(deployed), to=SECOND[:8], force=True)
    assert levels(deployed) == {"DEBUG"}
    with pytest.raises(Problem, match=r"no function of versions has a version of v9\.9\.9"):
        rollback.rollback(found(deployed), to="v9.9.9")


def test_a_rollback_further_than_the_changelog_says_is_refused_without_force(deployed):
    release(deployed, SECOND, LogLevel="DEBUG", Version="v0.1.0-5-gabcdef0")
    with pytest.raises(Problem, match="may be taken back as far as Unreleased"):
        rollback.rollback(found(deployed))
    assert levels(deployed) == {"DEBUG"}


# ---- Deployments that go wrong ----

class Unbuilt:
    """A deployment of nothing: its release has no functions and no parameters."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}

    def functions(self) -> list[str]:
        return []


def about_to_deploy(deployed: Deployed, tmp_path: Path) -> deploy.Deployment:
    stack = found(deployed)
    (tmp_path / "parameters.yaml").write_text("{}")
    return deploy.Deployment(tmp_path / "parameters.yaml", [], {}, stack, live.read(stack))


def test_a_deployment_that_fails_leaves_live_what_was_live_even_an_older_release(deployed, tmp_path, monkeypatch):
    release(deployed, SECOND, LogLevel="DEBUG")
    rollback.rollback(found(deployed))
    this = about_to_deploy(deployed, tmp_path)

    def fail(*_: object, **__: object) -> None:
        """CloudFormation goes back to its last template, and has the versions of that one live again."""
        functions = client("lambda", deployed.endpoint)
        for name in deployed.of_type("AWS::Lambda::Function").values():
            functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
        raise Problem("failed")

    monkeypatch.setattr(deploy.sam, "run", fail)
    with pytest.raises(Problem, match="failed"):
        deploy.run_sam(deploy.Target(this.stack.aws, deployed.name), this, [])
    assert versions(deployed) == {"1"}


def test_what_was_taken_back_is_deployed_anew_even_if_nothing_changed(deployed, tmp_path):
    release(deployed, SECOND, LogLevel="DEBUG")
    unbuilt: Any = Unbuilt()
    [name] = deploy.release_of(about_to_deploy(deployed, tmp_path), unbuilt)
    release(deployed, name.partition("=")[2], LogLevel="DEBUG")
    assert deploy.release_of(about_to_deploy(deployed, tmp_path), unbuilt) == [name]
    rollback.rollback(found(deployed))
    assert deploy.release_of(about_to_deploy(deployed, tmp_path), unbuilt) != [name]


def test_no_canary_begins_at_a_version_that_was_taken_back(deployed, tmp_path):
    release(deployed, SECOND, LogLevel="DEBUG")
    this = replace(about_to_deploy(deployed, tmp_path), given=[Parameter("Canary", 1, "true")])
    deploy.refuse_canary(this)
    rollback.rollback(found(deployed))
    this = replace(about_to_deploy(deployed, tmp_path), given=[Parameter("Canary", 1, "true")])
    with pytest.raises(Problem, match="Deploy once with Canary: 'false'"):
        deploy.refuse_canary(this)


# ---- What the published versions do wrong ----

def test_a_version_that_answers_otherwise_is_found_whatever_is_live(whole):
    stack = found(whole)
    broken = new_version.broken(stack, [], "parameters.yaml")
    assert {finding.resource for finding in broken} == set(whole.of_type("AWS::Lambda::Function"))
    assert all("answers otherwise" in finding.wrong for finding in broken)


def test_what_the_caller_may_not_find_out_is_no_fault_of_a_version(whole):
    stack = found(whole)
    nobody = replace(stack, aws=Aws(stack.aws.region, stack.aws.endpoint, Keys("AKIA00000000NOBODY00", "none")))
    nobody.__dict__["template"] = stack.template
    assert new_version.broken(nobody, [], "parameters.yaml") == []
