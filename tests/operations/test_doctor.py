"""The doctor names what was broken by hand in a stack, and finds nothing in one that wasn't touched. The functions do
nothing here; the end-to-end tests have the doctor look at real ones."""
from __future__ import annotations

import base64
import io
import json

import pytest
from stack.deployment import client
from stack.trial import Deployed, credentials
from verdict.aws import Aws, Keys
from verdict.deployed import Route, ToFunction, ToUrl
from verdict.doctor import functions, logs, probes
from verdict.doctor.command import INSPECTIONS, Report, all_looks, take
from verdict.doctor.finding import Finding, Fine
from verdict.doctor.probes import webhooks
from verdict.evaluated import Evaluated, NotKnown
from verdict.stack import Stack

PROVIDERS = ("Incode", "Treezor", "Veriff", "Wultra")
NAME = "examined"
#: What needs real functions.
ELSEWHERE = {"functions"}


@pytest.fixture(scope="module")
def deployed(endpoint):
    """A stack with all providers, bridged."""
    parameters = {"OperatorArn": "arn:aws:iam::000000000000:role/operations", "WultraAdapterUrl": "https://adapter.example"}
    with Deployed(endpoint, NAME, **credentials(*PROVIDERS), **parameters) as deployed:
        deployed.bridge()
        yield deployed


@pytest.fixture(scope="module")
def stack(deployed):
    return Stack.require(Aws.connect(deployed.endpoint), NAME)


def findings(stack: Stack) -> list[str]:
    """What the doctor finds."""
    return [str(result) for sort, inspection in INSPECTIONS.items() if sort not in ELSEWHERE
            for look in all_looks(inspection, stack) for result in take(look) if isinstance(result, Finding)]


def test_a_stack_as_it_was_deployed_has_nothing_wrong(stack):
    assert findings(stack) == []


# ---- Each thing that a hand can break: what it does, and what the doctor then says ----

def route_gone(stack):
    gateway, api = stack.client("apigatewayv2"), stack.physical("Api")
    [route] = [each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == "POST /treezor"]
    gateway.delete_route(ApiId=api, RouteId=route["RouteId"])


def route_elsewhere(stack):
    gateway, api = stack.client("apigatewayv2"), stack.physical("Api")
    by_key = {each["RouteKey"]: each for each in gateway.get_routes(ApiId=api)["Items"]}
    gateway.update_route(ApiId=api, RouteId=by_key["POST /veriff/decisions"]["RouteId"],
                         Target=by_key["POST /veriff/events"]["Target"])


def route_past_the_alias(stack):
    gateway, api = stack.client("apigatewayv2"), stack.physical("Api")
    [route] = [each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == "POST /wultra/process/event"]
    gateway.update_integration(
        ApiId=api, IntegrationId=route["Target"].removeprefix("integrations/"),
        IntegrationUri=stack.template.arn("WultraEvents"))


def route_open(stack):
    gateway, api = stack.client("apigatewayv2"), stack.physical("Api")
    [route] = [each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == "GET /sessions"]
    gateway.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")


def route_more(stack):
    gateway, api = stack.client("apigatewayv2"), stack.physical("Api")
    target = gateway.get_routes(ApiId=api)["Items"][0]["Target"]
    gateway.create_route(ApiId=api, RouteKey="POST /more", Target=target)


def invocation_forbidden(stack):
    functions, name = stack.client("lambda"), stack.template.alias("TreezorWebhooks")
    statements = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    [exact] = [each for each in statements if json.dumps(each["Condition"]).endswith('POST/treezor"}}')]
    functions.remove_permission(FunctionName=name, StatementId=exact["Sid"])


def role_without(stack):
    iam, role = stack.client("iam"), stack.physical("OutboxRelayRole")
    [*policies] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    for name in policies:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [action for action in actions if action != "dynamodb:DeleteItem"]
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def role_with_more(stack):
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    stack.client("iam").put_role_policy(
        RoleName=stack.physical("SessionsApiRole"), PolicyName="more", PolicyDocument=json.dumps(document))


def boundary(stack):
    iam = stack.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="bounds", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=stack.physical("ReplayRole"), PermissionsBoundary=arn)


def policy_detached(stack):
    stack.client("iam").detach_role_policy(
        RoleName=stack.physical("VeriffEventsRole"), PolicyArn=stack.physical("PutWebhooksAside"))


def queue_attribute(stack):
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.physical("DecisionsQueue"), Attributes={"MessageRetentionPeriod": "60"})


def queue_dead_letters(stack):
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.physical("IntakeQueue"), Attributes={"RedrivePolicy": ""})


def queue_policy(stack):
    stack.client("sqs").set_queue_attributes(QueueUrl=stack.physical("IntakeQueue"), Attributes={"Policy": ""})


def wake_up_policy(stack):
    stack.client("sqs").set_queue_attributes(QueueUrl=stack.physical("WakeUpQueue"), Attributes={"Policy": ""})


def wake_up_redrive(stack):
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.physical("WakeUpQueue"), Attributes={"RedriveAllowPolicy": ""})


def other_dead_letters(stack):
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.physical("QuarantineQueue"), Attributes={"RedriveAllowPolicy": ""})


def queue_deleted(stack):
    stack.client("sqs").delete_queue(QueueUrl=stack.physical("DecisionsDeadLetterQueue"))


def expiry(stack):
    stack.client("dynamodb").update_time_to_live(
        TableName=stack.physical("SessionsTable"),
        TimeToLiveSpecification={"Enabled": False, "AttributeName": "expiresAt"})


def recovery(stack):
    stack.client("dynamodb").update_continuous_backups(
        TableName=stack.physical("SessionsTable"), PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})


def protection(stack):
    stack.client("dynamodb").update_table(TableName=stack.physical("SessionsTable"), DeletionProtectionEnabled=False)


def index(stack):
    stack.client("dynamodb").update_table(
        TableName=stack.physical("SessionsTable"), GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "due"}}])


def mapping(stack):
    stack.client("lambda").update_event_source_mapping(UUID=stack.physical("ReplayFromIntake"), Enabled=False)


def wake_up_mapping(stack):
    stack.client("lambda").update_event_source_mapping(UUID=stack.physical("IncodePollerFromWakeUp"), Enabled=False)


def mapping_past_the_alias(stack):
    stack.client("lambda").update_event_source_mapping(
        UUID=stack.physical("ReplayFromIntake"), FunctionName=stack.physical("Replay"))


def schedule_past_the_alias(stack):
    rules, rule = stack.client("events"), stack.physical("IncodePollerEveryMinute")
    [target] = rules.list_targets_by_rule(Rule=rule)["Targets"]
    rules.put_targets(Rule=rule, Targets=[{**target, "Arn": stack.template.arn("IncodePoller")}])


def schedule(stack):
    stack.client("events").disable_rule(Name=stack.physical("OutboxRelayEveryMinute"))


def log_retention(stack):
    stack.client("logs").delete_retention_policy(logGroupName=stack.physical("ReplayLogs"))


def log_group(stack):
    stack.client("logs").delete_log_group(logGroupName=stack.physical("SessionsApiLogs"))


FUNCTIONS = "arn:aws:lambda:eu-west-1:000000000000:function"
KEY = "arn:aws:kms:eu-west-1:000000000000:key/44444444-1111-2222-3333-444444444444"

BROKEN = {
    route_gone: "Api: the route POST /treezor is gone;",
    route_elsewhere: "Api: the route POST /veriff/decisions does not lead to VeriffDecisions;",
    route_past_the_alias: "Api: the route POST /wultra/process/event does not lead to WultraEvents;",
    route_open: "Api: the route GET /sessions should ask for IAM's signature, and asks for NONE;",
    route_more: "Api: the route POST /more is none of the template's;",
    invocation_forbidden: f"may no longer invoke {FUNCTIONS}:examined-treezor-webhooks:live",
    role_without: "OutboxRelayRole: lacks the permission: allow dynamodb:DeleteItem on SessionsTable;",
    role_with_more: "SessionsApiRole: has a permission that isn't the template's: allow s3:* on *;",
    boundary: "ReplayRole: its permissions boundary is arn:aws:iam::000000000000:policy/bounds instead of none;",
    policy_detached: "VeriffEventsRole: the policy arn:aws:iam::000000000000:policy/examined-PutWebhooksAside",
    queue_attribute: "DecisionsQueue: its MessageRetentionPeriod is 60 instead of 1209600;",
    queue_dead_letters: "IntakeQueue: its RedrivePolicy is ",
    queue_policy: "IntakeQueue: its policy lacks: deny sqs:SendMessage on *",
    wake_up_policy: "WakeUpQueue: its policy lacks: deny sqs:SendMessage on *",
    wake_up_redrive: "WakeUpQueue: its RedriveAllowPolicy is ",
    other_dead_letters: "QuarantineQueue: its RedriveAllowPolicy is not set instead of ",
    queue_deleted: "DecisionsDeadLetterQueue: the queue is gone;",
    expiry: "SessionsTable: items do not expire (time to live by expiresAt is off);",
    recovery: "SessionsTable: point-in-time recovery is off;",
    protection: "SessionsTable: deletion protection is off;",
    index: "SessionsTable: no index due;",
    mapping: "ReplayFromIntake: takes no messages off its queue",
    wake_up_mapping: "IncodePollerFromWakeUp: takes no messages off its queue",
    mapping_past_the_alias: f"ReplayFromIntake: starts {FUNCTIONS}:examined-replay instead of ",
    schedule_past_the_alias: f"IncodePollerEveryMinute: no longer starts {FUNCTIONS}:examined-incode-poller:live;",
    schedule: "OutboxRelayEveryMinute: the schedule is disabled;",
    log_retention: "ReplayLogs: keeps logs for ever instead of 90 days;",
    log_group: "SessionsApiLogs: the log group ",
}


def test_each_thing_that_is_broken_by_hand_is_named_and_nothing_else(stack):
    # One after the other on the same stack, which stays broken: each adds what it is, and nothing more.
    before: list[str] = []
    for break_it, expected in BROKEN.items():
        break_it(stack)
        after = findings(stack)
        added = [each for each in after if each not in before]
        assert len(added) == 1 and expected in added[0], (break_it.__name__, added)
        assert set(before) <= set(after), break_it.__name__
        before = after
    assert len(before) == len(BROKEN)


def test_on_the_local_stack_routes_are_bridged_if_there_are_none_at_all_and_else_missed(endpoint, verdict):
    with Deployed(endpoint, "unbridged", **credentials("Wultra")):
        arguments = ("doctor", "--stack-name", "unbridged", "--endpoint", endpoint)
        first = verdict(*arguments)
        stack = Stack.require(Aws.connect(endpoint), "unbridged")
        gateway, api = stack.client("apigatewayv2"), stack.physical("Api")
        routes = {each["RouteKey"]: each for each in gateway.get_routes(ApiId=api)["Items"]}
        assert routes and "the route" not in first.output
        gateway.delete_route(ApiId=api, RouteId=routes["POST /wultra/process/event"]["RouteId"])
        assert "BAD   Api: the route POST /wultra/process/event is gone" in verdict(*arguments).output
        # The functions here are none of Verdict's, which is not passed over either.
        assert first.status == 1
        assert "BAD   WultraEvents: starts, but answers otherwise than this release's function" in first.output


# ---- Probes that are refused ----

class OneFunction:
    """A stack with Wultra's function alone, which lets in 203.0.113.0/24. Over the URL, it refuses."""

    api_url, template = "https://api.example", None

    def __init__(self, secret):
        self.secret, self.template, self.events = secret, self, []

    def alias(self, logical_id):
        return f"{logical_id}:live"

    def routes(self):
        return {"POST /wultra/process/event": Route(ToFunction("WultraEvents"), False),
                "POST /wultra/{proxy+}": Route(ToUrl("https://adapter.example"), False),
                "GET /sessions": Route(ToFunction("SessionsApi"), True)}

    def physical(self, logical_id):
        return logical_id

    def client(self, service):
        return self

    def invoke(self, FunctionName, Payload):
        event = json.loads(Payload)
        self.events.append((FunctionName, event["requestContext"]["http"]["sourceIp"]))
        login = base64.b64decode(event["headers"]["authorization"].removeprefix("Basic ")).decode()
        answer = (200, "probe") if login == f"wultra:{self.secret}" else (401, "refused")
        content = {"statusCode": answer[0], "headers": {"x-verdict-outcome": answer[1]}, "body": "{}"}
        return {"Payload": io.BytesIO(json.dumps(content).encode())}


def probed(monkeypatch, stack, **members):
    """What the doctor says of a probe that is refused over the URL."""
    keys = {"basic": [{"username": "wultra", "password": "Zk3sYdLm8wQ7rT2vB9xP"}], **members}
    monkeypatch.setattr(probes, "send", lambda *_: webhooks.Answer(401, {"x-verdict-outcome": "refused"}, ""))
    credentials = probes.Credentials("wultra", json.dumps(keys), "parameters.yaml")
    [*results] = [result for look in probes.of_provider(stack, credentials) for result in take(look)]
    return results


@pytest.mark.parametrize("ranges, address", [
    (["203.0.113.0/24"], "203.0.113.0"), (["203.0.113.7/32", "198.51.100.0/24"], "203.0.113.7"),
    (["2001:db8::/32"], "2001:db8::"),
])
def test_a_probe_from_an_address_that_is_not_allowed_is_tried_from_one_that_is(monkeypatch, ranges, address):
    stack = OneFunction("Zk3sYdLm8wQ7rT2vB9xP")
    results = probed(monkeypatch, stack, allowedCidrs=ranges)
    assert results and all(isinstance(result, Fine) for result in results)
    assert stack.events == [("WultraEvents:live", address)] * len(results)
    [remark] = Report("probes", results).remarks
    assert "address_not_allowed" in remark and "as it should be" in remark
    assert Report("probes", results).findings == []


def test_a_wrong_secret_is_found_behind_a_list_of_addresses_too(monkeypatch):
    results = probed(monkeypatch, OneFunction("another"), allowedCidrs=["203.0.113.0/24"])
    [finding] = Report("probes", results).findings
    assert "the function has other credentials than parameters.yaml" in finding.remedy


def test_a_refusal_without_a_list_of_addresses_is_a_finding(monkeypatch):
    stack = OneFunction("Zk3sYdLm8wQ7rT2vB9xP")
    results = probed(monkeypatch, stack)
    assert all(isinstance(result, Finding) for result in results) and stack.events == []


# ---- Credentials and functions that don't fit ----

def test_credentials_whose_tokens_no_function_gives_are_a_finding(endpoint):
    with Deployed(endpoint, "tokenless", **credentials("Incode"), IncodeOAuth="false") as deployed:
        stack = Stack.require(Aws.connect(deployed.endpoint), "tokenless")
        for text, expected in (('{"oauth":{}}', 0), ('{"headers":{}}', 0), ('{"oauth":{"clients":[]}}', 1), ("{", 0)):
            looks = probes.of_provider(stack, probes.Credentials("incode", text, "parameters.yaml"))
            found = [str(result) for look in looks for result in take(look) if isinstance(result, Finding)]
            assert sum("no function gives it tokens" in each for each in found) == expected, (text, found)


# ---- Credentials in a secret ----

def test_probes_carry_what_the_secret_holds_if_the_caller_may_read_it(endpoint):
    keys = {"basic": [{"username": "wultra", "password": "Zk3sYdLm8wQ7rT2vB9xP"}]}
    arn = client("secretsmanager", endpoint).create_secret(Name="examined/wultra", SecretString=json.dumps(keys))["ARN"]
    with Deployed(endpoint, "fetched", WultraSecretArn=arn, **credentials("Veriff")):
        stack = Stack.require(Aws.connect(endpoint), "fetched")
        veriff, wultra = sorted(probes.configured(stack, [], ""), key=lambda each: each.provider)
        assert (wultra.provider, json.loads(wultra.text), wultra.source) == (
            "wultra", keys, "the secret of WultraSecretArn")
        assert veriff.source.startswith("the environment of Veriff")
        # Who may not read it is told so, and nothing is bad.
        nobody = Aws(stack.aws.region, stack.aws.endpoint, Keys("AKIA00000000NOBODY00", "none"))
        result = untried(Stack(nobody, stack.name, stack.id, stack.outputs, stack.parameters), arn)
        assert isinstance(result, Fine)
        assert "Wultra: no probes are sent, since the secret of WultraSecretArn can't be read by you" in result.remark
        # A secret that isn't there is.
        result = untried(stack, arn.replace("examined/wultra", "examined/nothing"))
        assert isinstance(result, Finding) and "the secret of WultraSecretArn isn't there" in result.wrong


def untried(stack: Stack, arn: str):
    """What the doctor says in place of Wultra's probes."""
    [look] = probes.of_provider(stack, probes.fetched(stack, "wultra", arn))
    [result] = take(look)
    return result


# ---- What the emulator doesn't keep of a function, or has no call for ----

@pytest.mark.parametrize("wanted, found, wrong, command", [
    (KEY, None, f"its key is CloudWatch's own instead of {KEY}",
     f"aws logs associate-kms-key --log-group-name group --kms-key-id {KEY}"),
    (None, KEY, f"its key is {KEY} instead of CloudWatch's own", "aws logs disassociate-kms-key --log-group-name group"),
])
def test_a_log_group_with_another_key_is_found(wanted, found, wrong, command):
    [finding] = logs.encrypted_otherwise("ReplayLogs", "group", wanted, found)
    assert finding.wrong == wrong and command in finding.remedy
    assert [*logs.encrypted_otherwise("ReplayLogs", "group", found, found)] == []


@pytest.mark.parametrize("found, wrong", [
    ({"VpcConfig": {"SubnetIds": ["subnet-2", "subnet-1"], "SecurityGroupIds": ["sg-1"]}, "KMSKeyArn": KEY}, []),
    ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, "KMSKeyArn": KEY},
     ["its SubnetIds are subnet-1 instead of subnet-1, subnet-2"]),
    ({"KMSKeyArn": KEY}, ["its SubnetIds are none instead of subnet-1, subnet-2",
                          "its SecurityGroupIds are none instead of sg-1"]),
    ({"VpcConfig": {"SubnetIds": ["subnet-2", "subnet-1"], "SecurityGroupIds": ["sg-1"]}},
     ["another key than the template's encrypts its environment"]),
], ids=["as it was deployed", "a subnet less", "no network", "no key"])
def test_a_function_outside_of_its_network_or_without_its_key_is_found(found, wrong):
    expected = {"VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}, "KmsKeyArn": KEY}
    assert [each.wrong for each in functions.exposed("Replay", expected, found)] == wrong


def test_a_function_that_is_to_have_neither_has_neither():
    without = {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}}
    assert [*functions.exposed("Replay", {}, {}), *functions.exposed("Replay", {}, without)] == []
    assert len([*functions.exposed("Replay", {}, {"KMSKeyArn": KEY})]) == 1


# ---- What the template comes to ----

def test_what_the_doctor_cant_evaluate_it_says_and_does_not_pass_over(stack, monkeypatch):
    def unknown(*_):
        raise NotKnown("Fn::Cidr")

    monkeypatch.setattr(Evaluated, "_evaluate", unknown)
    [found] = [result for look in all_looks(INSPECTIONS["table"], stack) for result in take(look)]
    assert isinstance(found, Finding) and found.resource == "Fn::Cidr"


def test_a_call_that_aws_refuses_is_a_finding_with_its_name(stack):
    nobody = Aws(stack.aws.region, stack.aws.endpoint, Keys("AKIA00000000NOBODY00", "none"))
    seen = Stack(nobody, stack.name, stack.id, stack.outputs, stack.parameters)
    [found] = [result for look in all_looks(INSPECTIONS["table"], seen) for result in take(look)]
    assert isinstance(found, Finding) and "AWS refused the call" in found.wrong
