"""What the template makes of the credentials that it is given; deployed with functions that do nothing."""
from __future__ import annotations

import functools
import io
import json
import re
import zipfile

import pytest
from botocore.exceptions import ClientError

from verdict.bridge import bridge_gaps, over_tls

from .deployment import NAME, ROOT, client, connect
from .emulator import Emulator, free_port

TEMPLATE = (ROOT / "template.yaml").read_text("utf-8")

#: By provider: its functions, their routes, and the outputs.
PROVIDERS = {
    "Incode": (
        {"incode-webhooks", "incode-token", "incode-poller"},
        {"POST /incode/{webhook}", "POST /incode/oauth/token"},
        {"IncodeWebhooksUrl": "/incode", "IncodeTokenUrl": "/incode/oauth/token"},
    ),
    "Treezor": ({"treezor-webhooks"}, {"POST /treezor"}, {"TreezorUrl": "/treezor"}),
    "Veriff": (
        {"veriff-events", "veriff-decisions"},
        {"POST /veriff/events", "POST /veriff/decisions"},
        {"VeriffEventsUrl": "/veriff/events", "VeriffDecisionsUrl": "/veriff/decisions"},
    ),
    # Wultra appends its own path to the URL that it is given.
    "Wultra": ({"wultra-events"}, {"POST /wultra/process/event"}, {"WultraUrl": "/wultra"}),
}
ALWAYS = (
    {"sessions-api", "outbox-relay", "replay"},
    {"GET /sessions", "GET /sessions/{provider}/{sessionId}", "GET /sessions/{provider}/{sessionId}/events"},
    {"ApiUrl", "SessionsUrl", "SessionsTableName", "DecisionsQueueUrl", "IntakeQueueUrl", "QuarantineQueueUrl"},
)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """The emulator, with a bucket that holds the code of a function."""
    emulator = Emulator(free_port(), tmp_path_factory.mktemp("emulator"), enforce_iam=False)
    try:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("bootstrap", "#!/bin/sh\n")
        storage = client("s3", emulator.endpoint)
        storage.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        storage.put_object(Bucket="code", Key="function.zip", Body=package.getvalue())
        yield emulator.endpoint
    finally:
        emulator.stop()


def create(endpoint: str, name: str, parameters: dict) -> None:
    """Has a stack made of the template."""
    template, replaced = re.subn(r"CodeUri: \.\n", "CodeUri: s3://code/function.zip\n", TEMPLATE)
    assert replaced == 1
    client("cloudformation", endpoint).create_stack(
        StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()])


class Deployed:
    """A stack made of the template and some parameters."""

    def __init__(self, endpoint: str, **parameters: str):
        self.endpoint = endpoint
        self.cloudformation = client("cloudformation", endpoint)
        create(endpoint, NAME, parameters)
        self.cloudformation.get_waiter("stack_create_complete").wait(
            StackName=NAME, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cloudformation.delete_stack(StackName=NAME)
        self.cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=NAME, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})

    @property
    def resources(self) -> dict:
        found = self.cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    @property
    def functions(self) -> dict:
        found = client("lambda", self.endpoint).list_functions()["Functions"]
        return {function["FunctionName"].removeprefix(f"{NAME}-"): function for function in found}

    @property
    def routes(self) -> dict:
        """Each route's authorisation."""
        bridge_gaps(NAME, functools.partial(connect, endpoint=self.endpoint))
        found = client("apigatewayv2", self.endpoint).get_routes(ApiId=self.resources["Api"])["Items"]
        return {route["RouteKey"]: route["AuthorizationType"] for route in found}

    @property
    def outputs(self) -> dict:
        [stack] = self.cloudformation.describe_stacks(StackName=NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def variables(self, function: str) -> dict:
        return self.functions[function]["Environment"]["Variables"]

    def allowed(self, function: str) -> set:
        """What the function may do: actions on the template's resources, by logical id."""
        names = {physical.rsplit("/", 1)[-1]: logical for logical, physical in self.resources.items()}
        role = self.functions[function]["Role"].rsplit("/", 1)[-1]
        iam = client("iam", self.endpoint)
        documents = [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]]
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            if policy["PolicyArn"].startswith("arn:aws:iam::aws:"):
                continue
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            documents.append(iam.get_policy_version(
                PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"])
        return {
            (action, names[resource.split(":", 5)[5].removeprefix("table/").split("/")[0]]
             + resource.partition("/index")[2])
            for document in documents for statement in document["Statement"]
            for action in listed(statement["Action"]) for resource in listed(statement["Resource"])}


def listed(one_or_more) -> list:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def credentials(*providers: str) -> dict:
    return {f"{provider}Credentials": '{"of":"%s"}' % provider for provider in providers}


@pytest.mark.parametrize("providers", [
    *[(provider,) for provider in PROVIDERS], ("Treezor", "Wultra"), tuple(PROVIDERS)], ids=" ".join)
def test_a_provider_is_deployed_where_it_has_credentials_and_only_there(endpoint, providers):
    functions, routes, outputs = (set(names) for names in ALWAYS)
    paths = {}
    for provider in providers:
        functions |= PROVIDERS[provider][0]
        routes |= PROVIDERS[provider][1]
        outputs |= set(PROVIDERS[provider][2])
        paths |= PROVIDERS[provider][2]
    with Deployed(endpoint, **credentials(*providers)) as stack:
        assert set(stack.functions) == functions
        assert set(stack.routes) == routes
        assert set(stack.outputs) == outputs
        assert {name: stack.outputs[name].removeprefix(stack.outputs["ApiUrl"]) for name in paths} == paths
        groups = client("logs", endpoint).describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
        assert {group["logGroupName"].removeprefix(f"/aws/lambda/{NAME}-") for group in groups} == functions


OPERATOR = "arn:aws:iam::123456789012:role/operations"


@pytest.mark.parametrize("more, senders", [
    ({}, {"TreezorWebhooks", "VeriffEvents", "VeriffDecisions"}),
    ({"OperatorArn": OPERATOR}, {"TreezorWebhooks", "VeriffEvents", "VeriffDecisions", OPERATOR}),
], ids=["functions", "functions and operator"])
def test_nobody_else_may_put_anything_on_intake(endpoint, more, senders):
    with Deployed(endpoint, **credentials("Treezor", "Veriff"), **more) as stack:
        # Of that queue only; MiniStack, which holds queues to their policies, is told of TLS that is not there.
        queues = over_tls(functools.partial(connect, endpoint=endpoint))
        policy = json.loads(queues.get_queue_attributes(
            QueueUrl=stack.resources["IntakeQueue"], AttributeNames=["Policy"])["Attributes"]["Policy"])
        [statement] = [one for one in policy["Statement"] if one["Action"] == "sqs:SendMessage"]
        iam = client("iam", endpoint)
        roles = {logical: iam.get_role(RoleName=name)["Role"]["Arn"]
                 for logical, name in stack.resources.items() if logical.endswith("Role")}
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert set(statement["Condition"]) == {"ArnNotLike"}
        assert set(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]) == {
            roles.get(f"{sender}Role", sender) for sender in senders}


@pytest.fixture(scope="module")
def whole(endpoint):
    """The stack with all providers."""
    with Deployed(endpoint, **credentials(*PROVIDERS)) as stack:
        yield stack


def test_only_the_session_routes_ask_for_iam(whole):
    assert {route for route, authorization in whole.routes.items() if authorization == "AWS_IAM"} == ALWAYS[1]


RECEIVES = {
    "SESSIONS_TABLE", "DECISIONS_QUEUE_URL", "INTAKE_QUEUE_URL", "QUARANTINE_QUEUE_URL", "PAYLOAD_RETENTION_DAYS"}
VARIABLES = {
    "incode-webhooks": RECEIVES | {"INCODE_CREDENTIALS"},
    "incode-token": {"INCODE_CREDENTIALS"},
    "incode-poller": {"SESSIONS_TABLE", "DECISIONS_QUEUE_URL", "INCODE_CREDENTIALS", "PAYLOAD_RETENTION_DAYS"},
    "treezor-webhooks": RECEIVES | {"TREEZOR_CREDENTIALS"},
    "veriff-events": RECEIVES | {"VERIFF_CREDENTIALS"},
    "veriff-decisions": RECEIVES | {"VERIFF_CREDENTIALS"},
    "wultra-events": RECEIVES | {"WULTRA_CREDENTIALS"},
    "replay": RECEIVES,
    "sessions-api": {"SESSIONS_TABLE"},
    "outbox-relay": {"SESSIONS_TABLE", "DECISIONS_QUEUE_URL"},
}


@pytest.mark.parametrize("function", VARIABLES)
def test_a_function_is_told_what_it_needs_and_no_other_providers_secrets(whole, function):
    variables = whole.variables(function)
    assert set(variables) - {"VERDICT_LOG", "AWS_ENDPOINT_URL"} == VARIABLES[function]
    for name in variables:
        if name.endswith("_CREDENTIALS"):
            provider = function.split("-")[0]
            assert (name, variables[name]) == (f"{provider.upper()}_CREDENTIALS", '{"of":"%s"}' % provider.title())


FOLDS = {(f"dynamodb:{action}", "SessionsTable") for action in ("GetItem", "Query", "PutItem", "DeleteItem")}
PUBLISHES = {("sqs:SendMessage", "DecisionsQueue")}
PUTS_ASIDE = {("sqs:SendMessage", "IntakeQueue"), ("sqs:SendMessage", "QuarantineQueue")}
CONSUMES = {(f"sqs:{action}", "IntakeQueue") for action in (
    "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")}
SCHEDULES = {("dynamodb:UpdateItem", "SessionsTable")}
FINDS_DUE = {("dynamodb:Query", "SessionsTable/due")}
ALLOWED = {
    "incode-webhooks": FOLDS | PUBLISHES | PUTS_ASIDE | SCHEDULES,
    "incode-token": set(),
    "incode-poller": FOLDS | PUBLISHES | SCHEDULES | FINDS_DUE,
    "treezor-webhooks": FOLDS | PUBLISHES | PUTS_ASIDE,
    "veriff-events": FOLDS | PUBLISHES | PUTS_ASIDE,
    "veriff-decisions": FOLDS | PUBLISHES | PUTS_ASIDE,
    "wultra-events": FOLDS | PUBLISHES | PUTS_ASIDE,
    "replay": FOLDS | PUBLISHES | PUTS_ASIDE | SCHEDULES | CONSUMES,
    "sessions-api": {
        (f"dynamodb:{action}", resource)
        for action in ("GetItem", "BatchGetItem", "Query") for resource in ("SessionsTable", "SessionsTable/reference")},
    "outbox-relay": {
        ("dynamodb:Query", "SessionsTable"), ("dynamodb:DeleteItem", "SessionsTable")} | FINDS_DUE | PUBLISHES,
}


@pytest.mark.parametrize("function", ALLOWED)
def test_a_function_may_do_what_it_does_and_nothing_else(whole, function):
    assert whole.allowed(function) == ALLOWED[function]


@pytest.mark.parametrize("function", ["incode-poller", "outbox-relay"])
def test_a_scheduled_function_runs_every_minute_and_is_done_within_it(whole, endpoint, function):
    configuration = whole.functions[function]
    rules = client("events", endpoint)
    [rule] = rules.list_rule_names_by_target(TargetArn=configuration["FunctionArn"])["RuleNames"]
    assert rules.describe_rule(Name=rule)["ScheduleExpression"] == "rate(1 minute)"
    assert configuration["Timeout"] < 60
    retries = client("lambda", endpoint).get_function_event_invoke_config(
        FunctionName=configuration["FunctionName"], Qualifier="$LATEST")
    assert retries["MaximumRetryAttempts"] == 0


def queue(whole, endpoint, logical_id: str) -> dict:
    """A queue's attributes, and its redrive policy as what it says."""
    attributes = client("sqs", endpoint).get_queue_attributes(
        QueueUrl=whole.resources[logical_id], AttributeNames=["All"])["Attributes"]
    return {**attributes, "RedrivePolicy": json.loads(attributes.get("RedrivePolicy", "{}"))}


def test_replay_takes_what_is_on_intake_and_a_message_that_fails_holds_up_no_other(whole, endpoint):
    configuration = whole.functions["replay"]
    [mapping] = client("lambda", endpoint).list_event_source_mappings(
        FunctionName=configuration["FunctionName"])["EventSourceMappings"]
    intake = queue(whole, endpoint, "IntakeQueue")
    assert mapping["EventSourceArn"] == intake["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
    # AWS's advice: a batch may be throttled a while before it gets its turn.
    assert int(intake["VisibilityTimeout"]) >= 6 * configuration["Timeout"]


def test_the_sessions_of_the_decisions_queue_do_not_wait_for_each_other(whole, endpoint):
    decisions, rest = (queue(whole, endpoint, name) for name in ("DecisionsQueue", "DecisionsDeadLetterQueue"))
    assert decisions["RedrivePolicy"] == {"deadLetterTargetArn": rest["QueueArn"], "maxReceiveCount": 10}
    assert {name: decisions[name] for name in (
        "FifoQueue", "DeduplicationScope", "FifoThroughputLimit", "ContentBasedDeduplication")} == {
        "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
        "ContentBasedDeduplication": "false"}


def test_what_stays_on_intake_ends_in_quarantine_and_nothing_is_gone_within_two_weeks(whole, endpoint):
    intake, quarantine = (queue(whole, endpoint, name) for name in ("IntakeQueue", "QuarantineQueue"))
    assert intake["RedrivePolicy"]["deadLetterTargetArn"] == quarantine["QueueArn"]
    # Put off for a quarter of an hour at most, in the end: so often lasts for a day without the table.
    assert int(intake["RedrivePolicy"]["maxReceiveCount"]) * 15 * 60 >= 24 * 60 * 60
    for one in (intake, quarantine):
        assert int(one["MessageRetentionPeriod"]) == 14 * 24 * 60 * 60


def test_the_access_log_holds_nothing_of_what_came_but_the_route(whole, endpoint):
    [stage] = client("apigatewayv2", endpoint).get_stages(ApiId=whole.resources["Api"])["Items"]
    assert set(re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"])) == {
        "requestId", "requestTimeEpoch", "routeKey", "status", "responseLatency", "responseLength", "integrationStatus",
        "integrationLatency", "error.responseType"}


@pytest.mark.parametrize("parameters", [
    pytest.param({}, id="left-out"), pytest.param({f"{provider}Credentials": "" for provider in PROVIDERS}, id="empty")])
def test_without_any_provider_nothing_is_deployed(endpoint, parameters):
    with pytest.raises(ClientError, match="Give the credentials of at least one provider"):
        create(endpoint, "refused", parameters)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("value", ["not JSON", " ", '["a secret"]'])
def test_credentials_that_are_no_object_are_refused_and_not_repeated(endpoint, provider, value):
    with pytest.raises(ClientError, match="empty, or a JSON object such as") as refused:
        create(endpoint, "refused", {f"{provider}Credentials": value})
    assert value.strip() == "" or value not in str(refused.value)
