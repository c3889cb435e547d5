"""What the template makes of its parameters; deployed with functions that only tell what they were called with."""
from __future__ import annotations

import json
import re

import pytest
from attacks import under_iam
from botocore.exceptions import ClientError, WaiterError

from verdict.bridge import over_tls
from verdict.deployed import ALIAS, ALIAS_ID, DeployedTemplate

from .deployment import client
from .trial import TEMPLATE, WAIT, Deployed, create, credentials, listed

#: By provider: its functions, their routes, and the outputs.
PROVIDERS = {
    "Incode": (
        {"incode-webhooks", "incode-token", "incode-poller"},
        {"POST /incode/{webhook}", "POST /incode/{proxy+}",
         "POST /incode/oauth/token", "POST /incode/oauth/token/{proxy+}"},
        {"IncodeWebhooksUrl": "/incode", "IncodeTokenUrl": "/incode/oauth/token"},
    ),
    "Treezor": ({"treezor-webhooks"}, {"POST /treezor", "POST /treezor/{proxy+}"}, {"TreezorUrl": "/treezor"}),
    "Veriff": (
        {"veriff-events", "veriff-decisions"},
        {"POST /veriff/events", "POST /veriff/events/{proxy+}",
         "POST /veriff/decisions", "POST /veriff/decisions/{proxy+}", "POST /veriff/{proxy+}"},
        {"VeriffEventsUrl": "/veriff/events", "VeriffDecisionsUrl": "/veriff/decisions"},
    ),
    # Wultra appends its own path to the URL that it is given.
    "Wultra": ({"wultra-events"}, {"POST /wultra/process/event", "POST /wultra/{proxy+}"}, {"WultraUrl": "/wultra"}),
}
#: The beginning of a secret's ARN.
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret"
#: More outputs of a provider, which name no route.
MORE_OUTPUTS = {"Incode": {"WakeUpQueueUrl", "WakeUpQueueArn"}}
ALWAYS = (
    {"sessions-api", "session-payloads", "outbox-relay", "rebuild-preview", "replay"},
    {"GET /sessions", "GET /sessions/payload", *(f"GET /sessions/{{provider}}/{{sessionId}}{part}" for part in (
        "", "/events", "/notifications", "/events/{eventId}/payload"))},
    {"ApiUrl", "SessionsUrl", "SessionsTableName", "DecisionsQueueUrl", "DecisionsQueueArn",
     "DecisionsDeadLetterQueueUrl", "DecisionsDeadLetterQueueArn", "IntakeQueueUrl", "IntakeQueueArn",
     "QuarantineQueueUrl", "QuarantineQueueArn", "OnCallPolicyArn", "OperatorPolicyArn", "LogGroups", "Version"},
)


def template_routes(stack: Deployed) -> set[str]:
    """The routes of the stack's API without those that only the emulator needs."""
    stack.bridge()
    return {route for route in stack.routes if not route.endswith("/")}


@pytest.mark.parametrize("providers", [
    *[(provider,) for provider in PROVIDERS], ("Treezor", "Wultra"), tuple(PROVIDERS)], ids=" ".join)
def test_a_provider_is_deployed_where_it_has_credentials_and_only_there(endpoint, providers):
    functions, routes, outputs = (set(names) for names in ALWAYS)
    paths: dict[str, str] = {}
    for provider in providers:
        functions |= PROVIDERS[provider][0]
        routes |= PROVIDERS[provider][1]
        outputs |= set(PROVIDERS[provider][2]) | MORE_OUTPUTS.get(provider, set())
        paths |= PROVIDERS[provider][2]
    with Deployed(endpoint, **credentials(*providers)) as stack:
        assert set(stack.functions) == functions
        assert template_routes(stack) == routes
        assert set(stack.outputs) == outputs
        assert {name: stack.outputs[name].removeprefix(stack.outputs["ApiUrl"]) for name in paths} == paths
        groups = stack.of_type("AWS::Logs::LogGroup")
        assert set(groups) == {"ApiLogs"} | {logical_id(function) + "Logs" for function in functions}
        assert sorted(stack.outputs["LogGroups"].split(",")) == sorted(groups.values())


def logical_id(function: str) -> str:
    """What the template calls a function."""
    return function.title().replace("-", "")


OPERATOR, BACKEND = (f"arn:aws:iam::123456789012:role/{name}" for name in ("operations", "backend"))


def senders_of(stack: Deployed, queue: str) -> set[str]:
    """Those that a queue's policy lets put messages on it: the functions by their names in the template, others by ARN."""
    statements = stack.queue_policy(queue)["Statement"]
    [statement] = [one for one in statements if one["Action"] == "sqs:SendMessage"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    condition = statement.get("Condition", {"ArnNotLike": {"aws:PrincipalArn": []}})
    assert set(condition) == {"ArnNotLike"}
    iam = client("iam", stack.endpoint)
    roles = {iam.get_role(RoleName=name)["Role"]["Arn"]: logical.removesuffix("Role")
             for logical, name in stack.of_type("AWS::IAM::Role").items()}
    return {roles.get(arn, arn) for arn in listed(condition["ArnNotLike"]["aws:PrincipalArn"])}


def may_send(stack: Deployed) -> dict[str, set[str]]:
    """By queue, the functions whose own roles let them put messages on it."""
    allowed, outputs = {name: stack.allowed(name) for name in stack.functions}, stack.outputs
    return {queue: {logical_id(name) for name in allowed if ("sqs:SendMessage", outputs[f"{queue}Arn"]) in allowed[name]}
            for queue in OUTSIDERS}


#: By queue: those besides the functions that may put messages on it.
OUTSIDERS = {
    "DecisionsQueue": {"OperatorArn": OPERATOR},
    "DecisionsDeadLetterQueue": {"OperatorArn": OPERATOR},
    "IntakeQueue": {"OperatorArn": OPERATOR},
    "QuarantineQueue": {},
    "WakeUpQueue": {"OperatorArn": OPERATOR, "BackendArn": BACKEND},
}


@pytest.mark.parametrize("providers, more", [
    (tuple(PROVIDERS), {}), (tuple(PROVIDERS), {"OperatorArn": OPERATOR, "BackendArn": BACKEND}),
    (("Incode", "Veriff"), {"OperatorArn": OPERATOR}), (("Incode", "Veriff"), {"BackendArn": BACKEND}),
], ids=lambda part: " ".join(part) or "nobody")
def test_only_those_who_have_to_may_put_anything_on_a_queue(endpoint, providers, more):
    with Deployed(endpoint, **credentials(*providers), **more) as stack:
        allowed = may_send(stack)
        for queue, outsiders in OUTSIDERS.items():
            # The policy forbids; what allows a function is its own role, and neither says more than the other.
            expected = allowed[queue] | {arn for name, arn in outsiders.items() if name in more}
            assert senders_of(stack, queue) == expected, queue
        assert allowed["IntakeQueue"] == {
            logical_id(function) for provider in providers for function in PROVIDERS[provider][0]
            if function not in ("incode-token", "incode-poller")}
        assert allowed["WakeUpQueue"] == {"IncodeWebhooks", "Replay"}


def test_a_dead_letter_queue_takes_its_own_queues_dead_letters_alone(endpoint):
    # The emulator takes others, too: it stores what the queue says, and doesn't ask for it.
    with Deployed(endpoint, **credentials(*PROVIDERS)) as stack:
        stack.bridge()
        for name, source in (("DecisionsDeadLetterQueue", "DecisionsQueue"), ("QuarantineQueue", "IntakeQueue")):
            assert json.loads(queue(stack, name)["RedriveAllowPolicy"]) == {
                "redrivePermission": "byQueue", "sourceQueueArns": [queue(stack, source)["QueueArn"]]}
        for name in ("DecisionsQueue", "IntakeQueue", "WakeUpQueue"):
            assert json.loads(queue(stack, name)["RedriveAllowPolicy"]) == {"redrivePermission": "denyAll"}


def test_without_oauth_there_is_no_token_endpoint_and_nothing_of_one(endpoint):
    with Deployed(endpoint, **credentials(*PROVIDERS)) as stack:
        with_tokens = set(stack.resources)
        assert "IncodeToken" in with_tokens
        stack.update(**credentials(*PROVIDERS), IncodeOAuth="false")
        stack.bridge()
        gone = with_tokens - set(stack.resources)
        assert {"IncodeToken", "IncodeTokenRole", "IncodeTokenLogs"} <= gone
        assert all(name.startswith("IncodeToken") for name in gone), gone
        assert "IncodeTokenUrl" not in stack.outputs and "IncodeToken" not in stack.outputs["LogGroups"]
        # Its path is one of the webhooks' now, which know no such kind.
        assert [route for route in stack.routes if "oauth" in route] == []


def test_floods_are_throttled_as_the_parameters_say(endpoint):
    more = {"RequestRate": "7", "RequestBurst": "9", "WultraRequestRate": "70", "WultraRequestBurst": "90"}
    with Deployed(endpoint, **credentials(*PROVIDERS), **more) as stack:
        # The emulator throttles nothing, and keeps none of it.
        template = DeployedTemplate(stack.name, stack.cloudformation)
        [name] = template.resources("AWS::ApiGatewayV2::Stage")
        stage = template.declared(name)
        assert throttled(stage["DefaultRouteSettings"]) == (7, 9)
        assert {route: throttled(settings) for route, settings in stage["RouteSettings"].items()} == dict.fromkeys(
            ("POST /wultra/process/event", "POST /wultra/{proxy+}"), (70, 90))


def throttled(settings: dict) -> tuple[int, int]:
    return int(settings["ThrottlingRateLimit"]), int(settings["ThrottlingBurstLimit"])


@pytest.fixture(scope="module")
def whole(endpoint):
    """The stack with all providers. It stands beside those that single tests deploy."""
    with Deployed(endpoint, "whole", **credentials(*PROVIDERS), Version="v1.2-3-gabcdef") as stack:
        stack.bridge()
        yield stack


def test_only_the_session_routes_ask_for_iam(whole):
    assert {key for key, route in whole.routes.items() if route["AuthorizationType"] == "AWS_IAM"} == ALWAYS[1]


ALL = {"VERDICT_LOG", "VERDICT_VERSION", "VERDICT_NAMESPACE", "VERDICT_TRACING"}
RECEIVES = {
    "SESSIONS_TABLE", "DECISIONS_QUEUE_URL", "INTAKE_QUEUE_URL", "QUARANTINE_QUEUE_URL", "PAYLOAD_RETENTION_DAYS",
    "SEQUENCE_BASE"}
BODIES = RECEIVES | {"BODY_LIMIT"}
VARIABLES = {
    "incode-webhooks": BODIES | {"INCODE_CREDENTIALS", "WAKE_UP_QUEUE_URL"},
    "incode-token": {"INCODE_CREDENTIALS"},
    "incode-poller": {
        "SESSIONS_TABLE", "DECISIONS_QUEUE_URL", "INCODE_CREDENTIALS", "PAYLOAD_RETENTION_DAYS", "SEQUENCE_BASE"},
    "treezor-webhooks": BODIES | {"TREEZOR_CREDENTIALS"},
    "veriff-events": BODIES | {"VERIFF_CREDENTIALS"},
    "veriff-decisions": BODIES | {"VERIFF_CREDENTIALS"},
    "wultra-events": BODIES | {"WULTRA_CREDENTIALS"},
    "replay": RECEIVES | {"WAKE_UP_QUEUE_URL"},
    "rebuild-preview": {"SESSIONS_TABLE"},
    "sessions-api": {"SESSIONS_TABLE"},
    "session-payloads": {"SESSIONS_TABLE"},
    "outbox-relay": {"SESSIONS_TABLE", "DECISIONS_QUEUE_URL"},
}


@pytest.mark.parametrize("function", VARIABLES)
def test_a_function_is_told_what_it_needs_and_no_other_providers_secrets(whole, function):
    variables = whole.variables(function)
    assert set(variables) - {"AWS_ENDPOINT_URL"} == VARIABLES[function] | ALL
    assert (variables["VERDICT_VERSION"], variables["VERDICT_NAMESPACE"]) == ("v1.2-3-gabcdef", "whole")
    for name in variables:
        if name.endswith("_CREDENTIALS"):
            provider = function.split("-")[0]
            assert (name, variables[name]) == (f"{provider.upper()}_CREDENTIALS", f'{{"of":"{provider.title()}"}}')


# ---- Credentials by secret ----

#: The secrets, by the parameter that names each.
HELD = {"IncodeSecretArn": "incode", "IncodeApiSecretArn": "incode-api", "TreezorSecretArn": "treezor",
        "VeriffSecretArn": "veriff", "WultraSecretArn": "wultra"}
#: By function: the secret that it is told of.
FETCHES = {
    "incode-webhooks": "IncodeSecretArn", "incode-token": "IncodeSecretArn", "incode-poller": "IncodeApiSecretArn",
    "treezor-webhooks": "TreezorSecretArn", "veriff-events": "VeriffSecretArn", "veriff-decisions": "VeriffSecretArn",
    "wultra-events": "WultraSecretArn"}


@pytest.fixture(scope="module")
def arns(endpoint):
    """A secret for each parameter that can name one."""
    secrets = client("secretsmanager", endpoint)
    return {parameter: secrets.create_secret(Name=f"verdict/{name}", SecretString=f'{{"of":"{name}"}}')["ARN"]
            for parameter, name in HELD.items()}


@pytest.fixture(scope="module")
def fetching(endpoint, arns):
    """The stack with all providers, whose credentials are in secrets."""
    with Deployed(endpoint, "fetching", **arns, SecretTtlSeconds="60") as stack:
        yield stack


def test_a_function_is_told_of_its_secret_and_of_nothing_that_is_in_one(fetching, arns):
    assert set(fetching.functions) == set(VARIABLES)
    for function, expected in VARIABLES.items():
        variables = fetching.variables(function)
        told = {name: value for name, value in variables.items() if name not in (expected | ALL | {"AWS_ENDPOINT_URL"})}
        parameter = FETCHES.get(function)
        variable = parameter and re.sub(r"(?<!^)(?=[A-Z])", "_", parameter.removesuffix("SecretArn")).upper()
        assert told == ({f"{variable}_CREDENTIALS_ARN": arns[parameter], "SECRET_TTL_SECONDS": "60"} | (
            {"INCODE_API": "true"} if function == "incode-webhooks" else {}) if parameter else {}), function
        assert [name for name in variables if name.endswith("_CREDENTIALS")] == []


def test_a_function_may_fetch_its_own_secret_alone(fetching, arns):
    for function in VARIABLES:
        allowed = {pair for pair in fetching.allowed(function) if pair[0].startswith("secretsmanager:")}
        parameter = FETCHES.get(function)
        assert allowed == ({("secretsmanager:GetSecretValue", arns[parameter])} if parameter else set()), function


@under_iam("another function's secret, with a function's role")
def test_no_function_can_read_the_secret_of_another(fetching, arns):
    # The receiver of Incode's webhooks can't read what opens Incode's API, and the poller can read nothing else.
    for function in VARIABLES:
        secrets, readable = fetching.as_function(function, "secretsmanager"), set()
        for parameter, arn in arns.items():
            try:
                assert secrets.get_secret_value(SecretId=arn)["SecretString"] == f'{{"of":"{HELD[parameter]}"}}'
                readable.add(parameter)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDeniedException", (function, parameter)
        assert readable == {FETCHES[function]} & set(arns) if function in FETCHES else readable == set(), function


def test_without_a_secret_of_its_api_incode_is_not_asked(endpoint, arns):
    with Deployed(endpoint, IncodeSecretArn=arns["IncodeSecretArn"]) as stack:
        told = {name: value for name, value in stack.variables("incode-poller").items() if name.startswith("INCODE")}
        assert told == {"INCODE_API": "false"}
        assert {name for name in stack.variables("incode-webhooks") if name.startswith("INCODE")} == {
            "INCODE_CREDENTIALS_ARN"}
        assert {pair for pair in stack.allowed("incode-poller") if pair[0].startswith("secretsmanager:")} == set()


def test_a_provider_can_move_from_a_parameter_to_a_secret_and_back(endpoint, arns):
    with Deployed(endpoint, **credentials("Wultra")) as stack:
        stack.update(WultraSecretArn=arns["WultraSecretArn"])
        assert "WULTRA_CREDENTIALS_ARN" in stack.variables("wultra-events")
        assert "WULTRA_CREDENTIALS" not in stack.variables("wultra-events")
        stack.update(**credentials("Wultra"))
        assert "WULTRA_CREDENTIALS_ARN" not in stack.variables("wultra-events")
        assert "WULTRA_CREDENTIALS" in stack.variables("wultra-events")
        assert [pair for pair in stack.allowed("wultra-events") if pair[0].startswith("secretsmanager:")] == []


@pytest.mark.parametrize("more, told", [
    ({"VeriffCredentials": '{"of":"Veriff"}', "VeriffSecretArn": f"{SECRET}:veriff-AbC123"},
     "VeriffCredentials and VeriffSecretArn are both given. Set the one that you don't use to ''"),
    ({"IncodeApiSecretArn": f"{SECRET}:incode-api-AbC123", **credentials("Incode")},
     "IncodeApiSecretArn is given without IncodeSecretArn. Give IncodeSecretArn, too"),
    ({"IncodeApiSecretArn": f"{SECRET}:incode-AbC123", "IncodeSecretArn": f"{SECRET}:incode-AbC123"},
     "IncodeApiSecretArn and IncodeSecretArn are the same secret. Put api into a secret of its own"),
    ({"IncodeApiSecretArn": f"{SECRET}:incode-api-AbC123"}, "Give the credentials of at least one provider"),
    ({"VeriffSecretArn": f"{SECRET}:veriff"}, "empty, or the whole ARN of a secret"),
    ({"VeriffSecretArn": f"{SECRET}:veriff-AbC123", "SecretTtlSeconds": "4"}, "SecretTtlSeconds"),
    ({"VeriffSecretArn": f"{SECRET}:veriff-AbC123", "SecretTtlSeconds": "3601"}, "SecretTtlSeconds"),
], ids=["both", "api alone", "api in the same", "only api", "part of an ARN", "too often", "too seldom"])
def test_secrets_that_dont_go_together_are_refused_with_what_to_do(endpoint, more, told):
    with pytest.raises(ClientError, match=re.escape(told)):
        create(endpoint, "refused", more)


# ---- Permissions: that each is needed is for the tests that take them away one by one ----

@pytest.mark.parametrize("function", VARIABLES)
def test_a_function_may_do_nothing_to_everything(whole, function):
    allowed = whole.allowed(function)
    assert all(statement["Effect"] == "Allow" and not {"NotAction", "NotResource"} & set(statement)
               for statement in whole.statements(function))
    assert [pair for pair in allowed if re.search(r"\*", pair[0])] == []
    # The log group's own streams are the only pattern.
    assert [resource for _, resource in allowed if "*" in resource.removesuffix(":*")] == []


@pytest.mark.parametrize("function", VARIABLES)
def test_a_function_may_write_to_its_own_log_group_and_create_none(whole, function):
    group = whole.resources[f"{logical_id(function)}Logs"]
    logs = {(action, resource) for action, resource in whole.allowed(function) if action.startswith("logs:")}
    arn = f"arn:aws:logs:eu-west-1:000000000000:log-group:{group}:*"
    assert logs == {("logs:CreateLogStream", arn), ("logs:PutLogEvents", arn)}
    assert whole.functions[function]["LoggingConfig"]["LogGroup"] == group


def test_the_relay_may_look_for_an_entry_before_the_oldest(whole):
    # It does so for an outbox that doesn't begin at sequence 1.
    [table] = {resource for action, resource in whole.allowed("outbox-relay") if action == "dynamodb:DeleteItem"}
    assert ("dynamodb:GetItem", table) in whole.allowed("outbox-relay")


def test_only_one_function_that_answers_callers_may_see_payloads_and_it_may_do_nothing_else(whole):
    # By key alone: what can query can read whole sessions.
    reads = {pair for pair in whole.allowed("session-payloads") if not pair[0].startswith("logs:")}
    assert reads == {("dynamodb:BatchGetItem", whole_table(whole))}


def test_who_may_look_at_a_rebuild_can_only_read(whole):
    reads = {pair for pair in whole.allowed("rebuild-preview") if not pair[0].startswith("logs:")}
    assert reads == {(f"dynamodb:{action}", whole_table(whole)) for action in ("GetItem", "Query")}


def whole_table(stack: Deployed) -> str:
    return f"arn:aws:dynamodb:eu-west-1:000000000000:table/{stack.resources['SessionsTable']}"


@pytest.mark.parametrize("base", ["0", "1000000000000"])
def test_whoever_makes_messages_knows_the_number_that_their_sequences_are_above(endpoint, base):
    with Deployed(endpoint, **credentials(*PROVIDERS), SequenceBase=base) as stack:
        told = {name: stack.variables(name).get("SEQUENCE_BASE") for name in VARIABLES}
        assert {name for name in told if told[name]} == {name for name in VARIABLES if "SEQUENCE_BASE" in VARIABLES[name]}
        assert set(told.values()) <= {base, None}


XRAY = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}


def test_without_tracing_no_function_may_send_traces_or_tries_to(whole):
    for name, function in whole.functions.items():
        assert {action for action, _ in whole.allowed(name) if action.startswith("xray:")} == set(), name
        assert function.get("TracingConfig", {}).get("Mode") != "Active", name


def test_with_tracing_every_function_sends_traces_and_may(endpoint):
    with Deployed(endpoint, **credentials(*PROVIDERS), Tracing="true") as stack:
        assert set(stack.functions) == set(VARIABLES)
        for name, function in stack.functions.items():
            assert {pair for pair in stack.allowed(name) if pair[1] == "*"} == XRAY, name
            assert function["TracingConfig"]["Mode"] == "Active", name


# ---- The sessions table ----

def make_table(endpoint: str, name: str) -> None:
    """A table as it was kept or restored: CloudFormation doesn't look at what is in it."""
    client("dynamodb", endpoint).create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}])


def tables(endpoint: str) -> set[str]:
    pages = client("dynamodb", endpoint).get_paginator("list_tables").paginate()
    return {name for page in pages for name in page["TableNames"]}


def test_a_given_table_is_used_and_none_is_made(endpoint):
    make_table(endpoint, "kept.sessions_1")
    before = tables(endpoint)
    with Deployed(endpoint, **credentials(*PROVIDERS), SessionsTableName="kept.sessions_1") as stack:
        assert tables(endpoint) == before
        assert "SessionsTable" not in stack.resources
        assert stack.outputs["SessionsTableName"] == "kept.sessions_1"
        told = {name: stack.variables(name)["SESSIONS_TABLE"]
                for name in VARIABLES if "SESSIONS_TABLE" in VARIABLES[name]}
        assert set(told.values()) == {"kept.sessions_1"}
        assert_reach_the_table(stack, "kept.sessions_1")


def assert_reach_the_table(stack: Deployed, name: str) -> None:
    """All that the functions may do to a table is about that one, and each that is told of it may do something."""
    arn = f"arn:aws:dynamodb:eu-west-1:000000000000:table/{name}"
    allowed = {(function, *pair) for function in VARIABLES for pair in stack.allowed(function)
               if pair[0].startswith("dynamodb:")}
    assert {resource for *_, resource in allowed} == {
        arn, *(f"{arn}/index/{index}" for index in ("due", "reference", "standing"))}
    assert {function for function, *_ in allowed} == {name for name in VARIABLES if "SESSIONS_TABLE" in VARIABLES[name]}


def test_the_functions_reach_the_stacks_own_table(whole):
    assert_reach_the_table(whole, whole.resources["SessionsTable"])


QUEUES = ("DecisionsQueue", "DecisionsDeadLetterQueue", "IntakeQueue", "QuarantineQueue", "WakeUpQueue")


def policies(stack: Deployed, urls: list[str]) -> list[str]:
    """The policies of queues, whether the stack still has them or not."""
    queues = over_tls(stack.connect)
    return [queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
            for url in urls]


def test_what_is_retained_stays_and_stands_in_the_way_of_no_new_deployment(endpoint):
    with Deployed(endpoint, **credentials("Incode")) as stack:
        outputs = stack.outputs
        urls = [outputs[f"{queue}Url"] for queue in QUEUES]
        before = policies(stack, urls)
    assert outputs["SessionsTableName"] in tables(endpoint)
    assert policies(stack, urls) == before
    groups = {group["logGroupName"] for group in client("logs", endpoint).describe_log_groups()["logGroups"]}
    assert set(outputs["LogGroups"].split(",")) <= groups
    # MiniStack makes names of the stack's name alone, so that the new stack has the old queues; in AWS it has new ones.
    with Deployed(endpoint, **credentials("Incode"), SessionsTableName=outputs["SessionsTableName"]) as again:
        assert again.outputs["SessionsTableName"] == outputs["SessionsTableName"]


#: A resource that can't be made, after all that is retained.
BROKEN = """
  Broken:
    Type: AWS::AppConfig::Deployment
    DependsOn: [OnlyOverTls, OnlyPublishers, OnlyFromUs, WultraEvents, Replay, Api]

Outputs:
"""


def test_a_deployment_that_fails_leaves_nothing_behind_but_a_table(endpoint):
    create(endpoint, "broken", credentials("Wultra"), TEMPLATE.replace("\nOutputs:\n", BROKEN))
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        client("cloudformation", endpoint).get_waiter("stack_create_complete").wait(
            StackName="broken", WaiterConfig=WAIT)
    queues = client("sqs", endpoint).list_queues(QueueNamePrefix="broken-").get("QueueUrls", [])
    groups = client("logs", endpoint).describe_log_groups(logGroupNamePrefix="/aws/cloudformation/broken/")["logGroups"]
    assert (queues, groups) == ([], [])
    [table] = [name for name in tables(endpoint) if name.startswith("broken-")]
    assert table.startswith("broken-SessionsTable-")


def test_a_stack_can_let_go_of_its_table_and_take_another(endpoint):
    make_table(endpoint, "restored")
    with Deployed(endpoint, **credentials("Wultra")) as stack:
        own = stack.outputs["SessionsTableName"]
        stack.update(**credentials("Wultra"), SessionsTableName="restored")
        assert stack.outputs["SessionsTableName"] == stack.variables("wultra-events")["SESSIONS_TABLE"] == "restored"
        assert own in tables(endpoint)


# ---- Two stacks ----

def test_two_stacks_side_by_side_share_nothing(endpoint):
    with Deployed(endpoint, "blue", **credentials(*PROVIDERS)) as blue, \
            Deployed(endpoint, "green", **credentials(*PROVIDERS)) as green:
        ours, theirs = blue.resources, green.resources
        assert set(ours) == set(theirs)
        # Each API has a stage of its own by that name.
        assert set(ours.values()) & set(theirs.values()) == {"$default"}
        assert set(blue.outputs.values()) & set(green.outputs.values()) == {"unknown"}
        for function in VARIABLES:
            mine, other = blue.variables(function), green.variables(function)
            assert (mine["VERDICT_NAMESPACE"], other["VERDICT_NAMESPACE"]) == ("blue", "green")
            shared = {name for name in mine if mine[name] == other[name]}
            assert {name for name in shared if not name.endswith("_CREDENTIALS")} <= {
                "VERDICT_LOG", "VERDICT_VERSION", "AWS_ENDPOINT_URL", "PAYLOAD_RETENTION_DAYS", "SEQUENCE_BASE",
                "BODY_LIMIT", "VERDICT_TRACING"}
            assert blue.functions[function]["Role"] != green.functions[function]["Role"]
            assert blue.allowed(function) & green.allowed(function) == set()


# ---- What runs by itself ----

@pytest.mark.parametrize("function", ["incode-poller", "outbox-relay"])
def test_a_scheduled_function_runs_every_minute_and_is_done_within_it(whole, endpoint, function):
    configuration = whole.functions[function]
    rules = client("events", endpoint)
    alias = whole.resources[f"{logical_id(function)}{ALIAS_ID}"]
    [rule] = rules.list_rule_names_by_target(TargetArn=alias)["RuleNames"]
    assert rules.describe_rule(Name=rule)["ScheduleExpression"] == "rate(1 minute)"
    assert configuration["Timeout"] < 60
    retries = client("lambda", endpoint).get_function_event_invoke_config(
        FunctionName=configuration["FunctionName"], Qualifier=ALIAS)
    assert retries["MaximumRetryAttempts"] == 0


def queue(whole: Deployed, logical_id: str) -> dict:
    """A queue's attributes, and its redrive policy as what it says."""
    attributes = client("sqs", whole.endpoint).get_queue_attributes(
        QueueUrl=whole.resources[logical_id], AttributeNames=["All"])["Attributes"]
    return {**attributes, "RedrivePolicy": json.loads(attributes.get("RedrivePolicy", "{}"))}


def test_replay_takes_what_is_on_intake_and_a_message_that_fails_holds_up_no_other(whole, endpoint):
    configuration = whole.functions["replay"]
    [mapping] = client("lambda", endpoint).list_event_source_mappings(
        FunctionName=f"{configuration['FunctionName']}:{ALIAS}")["EventSourceMappings"]
    intake = queue(whole, "IntakeQueue")
    assert mapping["EventSourceArn"] == intake["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
    # AWS's advice: a batch may be throttled a while before it gets its turn.
    assert int(intake["VisibilityTimeout"]) >= 6 * configuration["Timeout"]


def test_the_poller_takes_wake_ups_in_few_copies_and_a_message_that_fails_holds_up_no_other(whole, endpoint):
    configuration = whole.functions["incode-poller"]
    [mapping] = client("lambda", endpoint).list_event_source_mappings(
        FunctionName=f"{configuration['FunctionName']}:{ALIAS}")["EventSourceMappings"]
    wake_up = queue(whole, "WakeUpQueue")
    assert mapping["EventSourceArn"] == wake_up["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]["MaximumConcurrency"]) == (10, 2)
    # Not a second later than the message is there.
    assert mapping.get("MaximumBatchingWindowInSeconds", 0) == 0
    assert int(wake_up["VisibilityTimeout"]) >= 6 * configuration["Timeout"]


def test_without_incode_nobody_is_woken(endpoint):
    with Deployed(endpoint, **credentials("Wultra")) as stack:
        assert "WAKE_UP_QUEUE_URL" not in stack.variables("replay")
        assert {"WakeUpQueue", "IncodePollerFromWakeUp", "OnlyToWakePoller"} & set(stack.resources) == set()


# ---- The queues ----

def test_a_wake_up_is_kept_for_four_days_and_is_nobodys_dead_letter(whole):
    wake_up = queue(whole, "WakeUpQueue")
    assert int(wake_up["MessageRetentionPeriod"]) == 4 * 24 * 60 * 60
    assert wake_up["RedrivePolicy"] == {}
    assert json.loads(wake_up["RedriveAllowPolicy"]) == {"redrivePermission": "denyAll"}


def test_the_outputs_name_the_queues(whole):
    for name in QUEUES:
        assert whole.outputs[f"{name}Url"] == whole.resources[name]
        assert whole.outputs[f"{name}Arn"] == queue(whole, name)["QueueArn"]


def test_the_version_is_an_output(whole):
    assert whole.outputs["Version"] == "v1.2-3-gabcdef"


def test_the_sessions_of_the_decisions_queue_do_not_wait_for_each_other(whole):
    decisions, rest = (queue(whole, name) for name in ("DecisionsQueue", "DecisionsDeadLetterQueue"))
    assert decisions["RedrivePolicy"] == {"deadLetterTargetArn": rest["QueueArn"], "maxReceiveCount": 10}
    assert {name: decisions[name] for name in (
        "FifoQueue", "DeduplicationScope", "FifoThroughputLimit", "ContentBasedDeduplication")} == {
        "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
        "ContentBasedDeduplication": "false"}


def test_what_stays_on_intake_ends_in_quarantine_and_nothing_is_gone_within_two_weeks(whole):
    intake, quarantine = (queue(whole, name) for name in ("IntakeQueue", "QuarantineQueue"))
    assert intake["RedrivePolicy"]["deadLetterTargetArn"] == quarantine["QueueArn"]
    # Put off for a quarter of an hour at most, in the end: so often lasts for a day without the table.
    assert int(intake["RedrivePolicy"]["maxReceiveCount"]) * 15 * 60 >= 24 * 60 * 60
    for one in (intake, quarantine):
        assert int(one["MessageRetentionPeriod"]) == 14 * 24 * 60 * 60


# ---- The access log ----

def test_the_access_log_holds_nothing_of_what_came_but_the_route(whole, endpoint):
    [stage] = client("apigatewayv2", endpoint).get_stages(ApiId=whole.resources["Api"])["Items"]
    assert set(re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"])) == {
        "requestId", "requestTimeEpoch", "routeKey", "status", "responseLatency", "responseLength", "integrationStatus",
        "integrationLatency", "error.responseType"}


# ---- What is refused ----

@pytest.mark.parametrize("parameters", [
    pytest.param({}, id="left-out"),
    pytest.param({f"{provider}Credentials": "" for provider in PROVIDERS}, id="empty")])
def test_without_any_provider_nothing_is_deployed(endpoint, parameters):
    with pytest.raises(ClientError, match="Give the credentials of at least one provider"):
        create(endpoint, "refused", parameters)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("value", ["not JSON", " ", '["a secret"]', "{secrets: [a secret]}", "secrets:\n- a secret"])
def test_credentials_that_are_no_object_are_refused_and_not_repeated(endpoint, provider, value):
    with pytest.raises(ClientError, match="empty, or a JSON object such as") as refused:
        create(endpoint, "refused", {f"{provider}Credentials": value})
    assert value.strip() == "" or value not in str(refused.value)


@pytest.mark.parametrize("parameter, value", [
    ("MemorySize", "127"), ("MemorySize", "10241"), ("PermissionsBoundaryArn", "boundary"), ("RolePath", "verdict"),
    ("SubnetIds", "vpc-0123456789abcdef0"), ("SecurityGroupIds", "subnet-0123456789abcdef0"),
    ("TableKeyArn", "alias/table"), ("QueuesKeyArn", "alias/aws/sqs"), ("SecretsKeyArn", "*"), ("LogsKeyArn", "logs"),
    ("DomainName", "https://verdict.example.com"), ("DomainName", "*.example.com"), ("CertificateArn", "verdict"),
    ("DefaultEndpoint", "no"), ("ConsumerArns", "*"), ("ConsumerArns", "arn:aws:iam::123456789012:role/*"),
    ("ConsumerArns", "123456789012"),
    ("Tracing", "yes"), ("WultraAdapterUrl", "http://adapter.example.com"), ("SessionsTableName", "a table"),
    ("Version", ""), ("BackendArn", "backend"), ("BackendArn", "*"),
    ("SequenceBase", "-1"), ("SequenceBase", "1000000000001"), ("SequenceBase", "many"),
    ("IncodeOAuth", "no"), ("RequestRate", "0"), ("WultraRequestBurst", "5001"),
    ("IncodeBodyLimit", "0"), ("TreezorBodyLimit", "many"), ("VeriffBodyLimit", "65535"), ("WultraBodyLimit", "6291457")])
def test_what_a_parameter_does_not_take_is_refused(endpoint, parameter, value):
    with pytest.raises(ClientError, match=parameter):
        create(endpoint, "refused", {**credentials("Wultra"), parameter: value})
