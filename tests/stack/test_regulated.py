"""All of the template's parameters at once, on the emulator; and all of them taken back.

What the emulator refuses is `Canary`: it doesn't know CodeDeploy's types. It takes all others, and of those for an account
with rules of its own it ignores some: it keeps neither the network of a function nor the key of its environment, leaves the
default endpoint on, never asks a key, and knows no other account. What all of these come to, `test_processed.py` has.
"""
from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any

import pytest
from botocore.exceptions import ClientError

from verdict.aws import Aws
from verdict.doctor import functions
from verdict.doctor.command import INSPECTIONS, all_looks, take
from verdict.doctor.finding import Finding
from verdict.stack import Stack

from .audit import everything
from .deployment import client, connect
from .emulator import HOST
from .operator_role import TRUST, assume
from .regulated import ALL, BOUNDARY, DOMAIN, PROVIDERS
from .trial import Deployed, create, credentials, listed

CONSUMER = "arn:aws:iam::000000000000:role/consumer"
#: What is otherwise than in the other tests of everything: a consumer that there is, and a table of the stack's own.
OTHERWISE = {"Canary": "false", "ConsumerArns": CONSUMER, "SessionsTableName": ""}
#: Functions that only echo don't start as Verdict's do.
ELSEWHERE = {"functions"}


def bounds(action: str) -> str:
    """A boundary within which there are these actions."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def stack(endpoint):
    """A stack with all parameters, with a consumer that no policy of its own allows anything."""
    iam = client("iam", endpoint)
    assert iam.create_policy(PolicyName="boundary", PolicyDocument=bounds("*"))["Policy"]["Arn"] == BOUNDARY
    iam.create_role(RoleName="consumer", AssumeRolePolicyDocument=json.dumps(TRUST))
    with Deployed(endpoint, "regulated", **{**everything(), **OTHERWISE}) as stack:
        stack.bridge()
        yield stack


def test_every_role_is_bounded_and_below_the_path(stack):
    iam = client("iam", stack.endpoint)
    roles = [iam.get_role(RoleName=name)["Role"] for name in stack.of_type("AWS::IAM::Role").values()]
    assert {role["PermissionsBoundary"]["PermissionsBoundaryArn"] for role in roles} == {BOUNDARY}
    assert {role["Path"] for role in roles} == {ALL["RolePath"]}
    policies = stack.of_type("AWS::IAM::ManagedPolicy").values()
    assert all(f":policy{ALL['RolePath']}" in arn for arn in policies)


def test_a_queues_policy_names_the_roles_with_their_path(stack):
    [statement] = [one for one in stack.queue_policy("IntakeQueue")["Statement"] if one["Action"] == "sqs:SendMessage"]
    named = listed(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"])
    ours = [arn for arn in named if arn.startswith("arn:aws:iam:") and arn != everything()["OperatorArn"]]
    assert ours and all(f":role{ALL['RolePath']}" in arn for arn in ours)


def test_what_is_stored_is_encrypted_with_a_key_for_each_sort(stack):
    tables, queues, logs = (client(service, stack.endpoint) for service in ("dynamodb", "sqs", "logs"))
    table = tables.describe_table(TableName=stack.resources["SessionsTable"])["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == ALL["TableKeyArn"]
    urls = stack.of_type("AWS::SQS::Queue").values()
    asked = [queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in urls]
    assert {attributes["KmsMasterKeyId"] for attributes in asked} == {ALL["QueuesKeyArn"]}
    ours = set(stack.of_type("AWS::Logs::LogGroup").values())
    groups = [group for group in logs.describe_log_groups()["logGroups"] if group["logGroupName"] in ours]
    assert {group["kmsKeyId"] for group in groups} == {ALL["LogsKeyArn"]}


def test_the_domain_leads_to_the_functions(stack):
    address = urllib.parse.urlsplit(stack.endpoint)
    connection = http.client.HTTPConnection(HOST, address.port, timeout=30)
    connection.request("POST", "/treezor", b"{}", {"Host": DOMAIN, "Content-Type": "application/json"})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["function"]) == (200, "regulated-treezor-webhooks")
    connection.close()
    assert stack.outputs["ApiUrl"] == f"https://{DOMAIN}"
    assert stack.outputs["TreezorUrl"] == f"https://{DOMAIN}/treezor"


def test_the_doctor_finds_nothing_wrong(stack):
    asked = Stack.require(Aws.connect(stack.endpoint), stack.name)
    assert [str(result) for sort, inspection in INSPECTIONS.items() if sort not in ELSEWHERE
            for look in all_looks(inspection, asked) for result in take(look) if isinstance(result, Finding)] == []


def test_the_doctor_knows_each_function_as_it_was_deployed(stack):
    # The ARN of its role has the path, and its memory is a number.
    asked, lambdas = Stack.require(Aws.connect(stack.endpoint), stack.name), client("lambda", stack.endpoint)
    deployed = stack.of_type("AWS::Lambda::Function")
    assert [each for logical_id, name in deployed.items() for each in functions.misconfigured(
        asked, logical_id, lambdas.get_function_configuration(FunctionName=name))] == []


def test_the_doctor_says_if_the_domain_leads_elsewhere(stack):
    gateway, asked = client("apigatewayv2", stack.endpoint), Stack.require(Aws.connect(stack.endpoint), stack.name)
    [mapping] = gateway.get_api_mappings(DomainName=DOMAIN)["Items"]
    gateway.update_api_mapping(
        DomainName=DOMAIN, ApiMappingId=mapping["ApiMappingId"], ApiId=mapping["ApiId"], ApiMappingKey="verdict")
    found = [result for look in all_looks(INSPECTIONS["domains"], asked) for result in take(look)]
    gateway.update_api_mapping(
        DomainName=DOMAIN, ApiMappingId=mapping["ApiMappingId"], ApiId=mapping["ApiId"], ApiMappingKey="")
    assert [str(each) for each in found if isinstance(each, Finding)] == [
        "Domain: it doesn't lead to the API; map it to the API's stage in API Gateway, without a path"]


# ---- Consumers ----

def acting_as(stack: Deployed, role: str) -> Any:
    """A client of SQS that has assumed a role."""
    return connect("sqs", stack.endpoint, assume(client("sts", stack.endpoint), role, seconds=3600))


def test_a_consumer_receives_and_deletes_decisions_by_the_queues_policy_alone(stack):
    url, queues = stack.outputs["DecisionsQueueUrl"], acting_as(stack, CONSUMER)
    publish(stack, url)
    [message] = queues.receive_message(QueueUrl=url)["Messages"]
    queues.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=90)
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]


def publish(stack: Deployed, url: str) -> None:
    """Puts a message on the queue, as root: its policy lets nobody but the functions, so that it is off meanwhile."""
    queues = client("sqs", stack.endpoint)
    policy = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    queues.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId="one", MessageDeduplicationId="one")
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@pytest.mark.parametrize("call, queue", [
    (lambda queues, url: queues.send_message(
        QueueUrl=url, MessageBody="{}", MessageGroupId="two", MessageDeduplicationId="two"), "DecisionsQueue"),
    (lambda queues, url: queues.purge_queue(QueueUrl=url), "DecisionsQueue"),
    (lambda queues, url: queues.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "1"}), "DecisionsQueue"),
    (lambda queues, url: queues.receive_message(QueueUrl=url), "DecisionsDeadLetterQueue"),
    (lambda queues, url: queues.receive_message(QueueUrl=url), "IntakeQueue"),
], ids=["send", "purge", "configure", "the dead letters", "webhooks"])
def test_a_consumer_may_do_nothing_else(stack, call, queue):
    with pytest.raises(ClientError, match="AccessDenied"):
        call(acting_as(stack, CONSUMER), stack.outputs[f"{queue}Url"])


# ---- A boundary does what it is for ----

def test_a_role_may_do_no_more_than_its_boundary(stack):
    iam = client("iam", stack.endpoint)
    role, url = stack.resources["ReplayRole"], stack.outputs["QuarantineQueueUrl"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(TRUST))
    queues = acting_as(stack, iam.get_role(RoleName=role)["Role"]["Arn"])
    queues.send_message(QueueUrl=url, MessageBody="{}")
    iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=bounds("logs:*"), SetAsDefault=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        queues.send_message(QueueUrl=url, MessageBody="{}")


# ---- All of it taken back ----

def test_without_the_parameters_nothing_of_them_is_left(stack):
    stack.update(**credentials(*PROVIDERS))
    stack.bridge()
    assert not {"Domain", "DomainMapping", "UseVpc", "UseTableKey", "UseQueuesKey", "UseSecretsKey"} & set(stack.resources)
    iam = client("iam", stack.endpoint)
    roles = [iam.get_role(RoleName=name)["Role"] for name in stack.of_type("AWS::IAM::Role").values()]
    assert {role["Path"] for role in roles} == {"/"}
    statements = stack.queue_policy("DecisionsQueue")["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert DOMAIN not in str(stack.outputs)
    attributes = client("sqs", stack.endpoint).get_queue_attributes(
        QueueUrl=stack.outputs["DecisionsQueueUrl"], AttributeNames=["All"])["Attributes"]
    assert (attributes.get("KmsMasterKeyId", ""), attributes["SqsManagedSseEnabled"]) == ("", "true")
    assert stack.reached("/treezor") == "treezor-webhooks"


# ---- What doesn't go together ----

@pytest.mark.parametrize("parameters, message", [
    ({"SubnetIds": ALL["SubnetIds"]}, "Give SubnetIds and SecurityGroupIds, or neither"),
    ({"SecurityGroupIds": ALL["SecurityGroupIds"]}, "Give SubnetIds and SecurityGroupIds, or neither"),
    ({"DomainName": DOMAIN}, "Give DomainName and CertificateArn, or neither"),
    ({"CertificateArn": ALL["CertificateArn"]}, "Give DomainName and CertificateArn, or neither"),
    ({"DefaultEndpoint": "false"}, "Give a DomainName, or set DefaultEndpoint to true"),
    ({"TableKeyArn": ALL["TableKeyArn"], "QueuesKeyArn": ALL["TableKeyArn"]}, "Give TableKeyArn and QueuesKeyArn two keys"),
], ids=lambda part: " ".join(part) if isinstance(part, dict) else "")
def test_what_makes_no_sense_without_another_is_refused(endpoint, parameters, message):
    with pytest.raises(ClientError, match=message):
        create(endpoint, "refused", {**credentials("Wultra"), **parameters})
