"""What the template's text has to hold to, since an emulator takes what AWS refuses, or does it another way."""
from __future__ import annotations

import functools
import re
from types import SimpleNamespace
from typing import Any, Iterator, Optional

import pytest
from attacks import by_text
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from .deployment import ROOT
from .trial import TEMPLATE

SOURCE = yaml_parse(TEMPLATE)
PARAMETERS, RESOURCES = SOURCE["Parameters"], SOURCE["Resources"]

RETAINED = {"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::Logs::LogGroup"}
NO_VALUE = {"Ref": "AWS::NoValue"}


def of_type(kind: str) -> dict[str, dict]:
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS, ROLES = of_type("AWS::Serverless::Function"), of_type("AWS::IAM::Role")


def parts(tree: Any, *path: Any) -> Iterator[tuple[tuple, Any]]:
    """Everything in a part of the template, with where it is."""
    yield path, tree
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, part in inner:
        yield from parts(part, *path, name)


def events() -> Iterator[tuple[str, dict]]:
    """The HTTP events of the functions."""
    for name, function in FUNCTIONS.items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == "HttpApi":
                yield name, event["Properties"]


# ---- What is retained ----

def test_all_of_each_retained_sort_is_retained_and_nothing_else_is():
    retained = {name for name, resource in RESOURCES.items()
                if "DeletionPolicy" in resource or "UpdateReplacePolicy" in resource}
    assert retained == {name for name, resource in RESOURCES.items() if resource["Type"] in RETAINED}
    for name in retained:
        assert RESOURCES[name]["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate"), name
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain", name


def test_a_table_is_kept_even_when_the_deployment_that_makes_it_fails():
    # It has deletion protection: CloudFormation could not remove it, and the roll-back would fail, too.
    [table] = of_type("AWS::DynamoDB::Table").values()
    assert (table["DeletionPolicy"], table["Properties"]["DeletionProtectionEnabled"]) == ("Retain", True)


def test_nothing_that_is_retained_has_a_fixed_name():
    named = {(name, member) for name, resource in RESOURCES.items() if resource["Type"] in RETAINED
             for member in resource.get("Properties", {}) if member.endswith("Name")}
    assert named == set()


def test_every_other_name_begins_with_the_stacks():
    # Two stacks in one account and region must not want the same.
    names = {(name, member): str(value) for name, resource in RESOURCES.items()
             for member, value in resource.get("Properties", {}).items()
             if member.endswith("Name") and member != "MetricName"}
    # The function that an event source calls isn't a name that it gives.
    assert names.pop(("ReplayFromIntake", "FunctionName")) == "{'Ref': 'ReplayAliaslive'}"
    assert names.pop(("IncodePollerFromWakeUp", "FunctionName")) == "{'Ref': 'IncodePollerAliaslive'}"
    # A domain of one's own.
    assert names.pop(("Domain", "DomainName")) == "{'Ref': 'DomainName'}"
    assert names.pop(("DomainMapping", "DomainName")) == "{'Ref': 'Domain'}"
    # Nor are those of what is measured.
    names = {(name, member): value for (name, member), value in names.items()
             if (RESOURCES[name]["Type"], member) not in {
                 ("AWS::CloudWatch::Alarm", "MetricName"), ("AWS::Logs::MetricFilter", "LogGroupName")}}
    # The functions', the API's and the dashboard's.
    assert len(names) == len(FUNCTIONS) + 2
    ours = re.compile(r"\{'(Fn::Sub': '\$\{AWS::StackName}-|Ref': 'AWS::StackName'})")
    assert [name for name, value in names.items() if not ours.match(value)] == []
    assert [name for name, output in SOURCE["Outputs"].items() if "Export" in output] == []


# ---- Roles ----

@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_role_of_its_own_under_the_id_that_sam_would_give_it(function):
    properties = FUNCTIONS[function]["Properties"]
    assert properties["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
    assert "Policies" not in properties
    assert ROLES[f"{function}Role"].get("Condition") == FUNCTIONS[function].get("Condition")
    # A name would need another capability, and could be taken.
    assert "RoleName" not in ROLES[f"{function}Role"]["Properties"]


def test_there_are_no_other_roles():
    assert set(ROLES) == {f"{function}Role" for function in FUNCTIONS} | {"CanaryRole"}


#: The functions that receive webhooks, by the policy that they share.
RECEIVERS = [function for function in FUNCTIONS
             if {"Ref": "PutWebhooksAside"} in ROLES[f"{function}Role"]["Properties"].get("ManagedPolicyArns", [])]


def test_every_receiver_and_no_other_function_may_put_webhooks_on_intake():
    assert len(RECEIVERS) >= 4
    assert senders_of("IntakeQueue") == {*RECEIVERS, "OperatorArn"}


def policy_of(queue: str) -> list[dict[str, Any]]:
    """The statements that a queue's policy has whatever the parameters are."""
    [policy] = [policy["Properties"] for policy in of_type("AWS::SQS::QueuePolicy").values()
                if {"Ref": queue} in policy["Properties"]["Queues"]]
    return [statement for statement in policy["PolicyDocument"]["Statement"] if "Fn::If" not in statement]


def senders_of(queue: str) -> set[str]:
    """Those that a queue's policy lets put messages on it: functions, and parameters."""
    [statement] = [one for one in policy_of(queue) if one["Action"] == "sqs:SendMessage"]
    assert (statement["Effect"], statement["Principal"], statement["Resource"]) == ("Deny", "*", "*")
    condition = statement["Condition"]
    if "Fn::If" in condition:
        # Without an operator, nobody at all.
        assert condition["Fn::If"][::2] == ["HasOperator", NO_VALUE]
        condition = condition["Fn::If"][1]
    assert set(condition) == {"ArnNotLike"}
    return set(map(sender, listed(condition["ArnNotLike"]["aws:PrincipalArn"])))


def sender(arn: dict[str, Any]) -> str:
    """Who an ARN is. A function that not every stack has is named under its own condition."""
    condition, named, otherwise = arn.get("Fn::If", [None, arn, NO_VALUE])
    assert otherwise == NO_VALUE
    if "Ref" in named:
        assert condition in (f"Has{named['Ref'].removesuffix('Arn')}", None)
        return named["Ref"]
    function = named["Fn::GetAtt"][0].removesuffix("Role")
    assert condition == FUNCTIONS[function].get("Condition") or (function == "IncodeWebhooks" and condition is None)
    return function


def listed(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def test_only_those_who_make_decisions_or_redrive_them_may_put_anything_on_decisions():
    assert senders_of("DecisionsQueue") == {*RECEIVERS, "Replay", "IncodePoller", "OutboxRelay", "OperatorArn"}
    assert senders_of("DecisionsDeadLetterQueue") == {"OperatorArn"}


def test_only_those_who_read_webhooks_may_put_any_in_quarantine():
    assert senders_of("QuarantineQueue") == {*RECEIVERS, "Replay"}


def test_only_those_who_know_that_a_poll_is_due_may_wake_the_poller():
    assert senders_of("WakeUpQueue") == {"IncodeWebhooks", "Replay", "OperatorArn", "BackendArn"}


# ---- What a role may do to which items: the emulator doesn't hold leading keys ----

def statements(function: str) -> list[dict[str, Any]]:
    """The statements of a role's own policies, those that it has under a condition, too."""
    return [statement for _, statement in conditional_statements(function)]


def conditional_statements(function: str) -> list[tuple[Optional[str], dict[str, Any]]]:
    """The statements of a role's own policies, each with the condition that it stands under, if any."""
    found = []
    for policy in ROLES[f"{function}Role"]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            condition, one, otherwise = statement.get("Fn::If", [None, statement, NO_VALUE])
            assert otherwise == NO_VALUE
            found.append((condition, one))
    return found


def on_the_table(function: str) -> list[dict[str, Any]]:
    """Those of them that are about items of the table, and not about an index."""
    return [statement for statement in statements(function)
            if any(action.startswith("dynamodb:") for action in listed(statement["Action"]))
            and "/index/" not in str(statement["Resource"])]


#: The partitions that a function may reach, by its provider.
PARTITIONS = {
    "IncodeWebhooks": ["SESSION#incode/*"],
    # The second one says until when Incode's API is left alone.
    "IncodePoller": ["SESSION#incode/*", "POLLS#incode"],
    "TreezorWebhooks": ["SESSION#treezor/*"],
    "VeriffEvents": ["SESSION#veriff/*"],
    "VeriffDecisions": ["SESSION#veriff/*"],
    "WultraEvents": ["SESSION#wultra/*"],
}


@by_text("another provider's session, with a receiver's role")
@pytest.mark.parametrize("function", PARTITIONS)
def test_what_one_provider_can_reach_is_its_own_sessions_alone(function):
    found = on_the_table(function)
    assert found
    for statement in found:
        assert statement["Condition"] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": PARTITIONS[function]}}, statement["Sid"]


def test_every_function_that_has_one_providers_credentials_reaches_no_other_providers_sessions():
    with_credentials = {function for function, resource in FUNCTIONS.items() for name in variables_of(resource)
                        if name.endswith("_CREDENTIALS")}
    assert with_credentials == {*PARTITIONS, "IncodeToken"}
    assert on_the_table("IncodeToken") == []


def test_a_condition_on_leading_keys_stands_only_by_actions_that_have_some():
    # `ForAllValues` is true of a request without the key, as of a scan.
    without = {"dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:DescribeTable", "dynamodb:BatchWriteItem"}
    assert all(set(listed(statement["Action"])) & without == set()
               for function in PARTITIONS for statement in on_the_table(function))


def variables_of(resource: dict[str, Any]) -> dict[str, Any]:
    return resource["Properties"].get("Environment", {}).get("Variables", {})


READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


@pytest.mark.parametrize("function", ["RebuildPreview", "SessionsApi", "SessionPayloads"])
def test_what_answers_who_may_look_can_only_read(function):
    actions = {action for statement in statements(function) for action in listed(statement["Action"])}
    assert {action for action in actions if not action.startswith("logs:")} <= READS
    assert {"Ref": "PutWebhooksAside"} not in ROLES[f"{function}Role"]["Properties"]["ManagedPolicyArns"]
    assert not any(name.endswith("QUEUE_URL") for name in variables_of(FUNCTIONS[function]))


def attributes_read() -> set[str]:
    """The attributes that `sessions-api` names when it reads."""
    code = (ROOT / "shared/pipeline/src/store/table/items.rs").read_text("utf-8")
    lists = re.findall(r"const (?:SESSION|EVENT|TOLD)_ATTRIBUTES: &\[&str\] = &\[(.*?)\];", code, re.DOTALL)
    assert len(lists) == 3
    return {name for each in lists for name in re.findall(r'"(\w+)"', each)}


def test_the_sessions_api_may_read_the_attributes_that_it_names_and_no_payload():
    [statement] = on_the_table("SessionsApi")
    assert set(statement["Action"]) == {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
    attributes = statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert set(attributes) == attributes_read()
    assert {"payload", "source"} & set(attributes) == set()
    # A read that names no attributes is one of all.
    assert statement["Condition"]["Null"] == {"dynamodb:Attributes": "false"}
    assert statement["Condition"]["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_sends_traces_if_the_stack_has_them(function):
    assert {"Fn::If": ["Traces", {"Ref": "SendTraces"}, NO_VALUE]} in (
        ROLES[f"{function}Role"]["Properties"]["ManagedPolicyArns"])


# ---- Secrets ----

#: By function: the parameter of the one secret that it may read, and the condition under which it does.
READ_SECRETS = {
    "IncodeWebhooks": ("IncodeSecretArn", "IncodeBySecret"),
    "IncodeToken": ("IncodeSecretArn", "IncodeBySecret"),
    # The access to Incode's API, and nothing that proves a webhook.
    "IncodePoller": ("IncodeApiSecretArn", "IncodeApiBySecret"),
    "TreezorWebhooks": ("TreezorSecretArn", "TreezorBySecret"),
    "VeriffEvents": ("VeriffSecretArn", "VeriffBySecret"),
    "VeriffDecisions": ("VeriffSecretArn", "VeriffBySecret"),
    "WultraEvents": ("WultraSecretArn", "WultraBySecret"),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_read_its_own_secret_and_do_nothing_else_to_any(function):
    found = [(condition, statement) for condition, statement in conditional_statements(function)
             if "secretsmanager" in str(statement["Action"])]
    expected = [
        (condition, {"Sid": "ReadSecret", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
                     "Resource": {"Ref": parameter}})
        for name, (parameter, condition) in READ_SECRETS.items() if name == function]
    assert found == expected


@pytest.mark.parametrize("function", READ_SECRETS)
def test_a_function_is_told_of_the_secret_that_it_may_read_or_has_the_credentials(function):
    parameter, condition = READ_SECRETS[function]
    provider = parameter.removesuffix("SecretArn").removesuffix("Api")
    name = f"{provider.upper()}{'_API' if 'Api' in parameter else ''}_CREDENTIALS"
    variables = variables_of(FUNCTIONS[function])
    assert variables[f"{name}_ARN"] == {"Fn::If": [condition, {"Ref": parameter}, NO_VALUE]}
    assert variables[f"{provider.upper()}_CREDENTIALS"] == {
        "Fn::If": [f"{provider}BySecret", NO_VALUE, {"Ref": f"{provider}Credentials"}]}
    assert variables["SECRET_TTL_SECONDS"] == {
        "Fn::If": [f"{provider}BySecret", {"Ref": "SecretTtlSeconds"}, NO_VALUE]}


SECRET_ARNS = [name for name in PARAMETERS if name.endswith("SecretArn")]
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"


@pytest.mark.parametrize("value, taken", [
    ("", True),
    (f"{ARN}:verdict/veriff-AbC123", True),
    (f"{ARN}:team+a/veriff_1.2=x@y-AbC123", True),
    ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:veriff-AbC123", True),
    # A part of an ARN: Secrets Manager takes it, IAM doesn't.
    (f"{ARN}:verdict", False),
    (f"{ARN}:verdict/veriff-AbC12", False),
    (f"{ARN}:verdict/veriff-??????", False),
    (f"{ARN}:*-AbC123", False),
    ("verdict/veriff-AbC123", False),
    ("arn:aws:ssm:eu-west-1:123456789012:parameter/veriff-AbC123", False),
    (f"{ARN}:verdict/veriff-AbC123:SecretString", False),
    ("{{resolve:secretsmanager:verdict/veriff-AbC123}}", False),
])
@pytest.mark.parametrize("parameter", SECRET_ARNS)
def test_a_secret_is_named_by_its_whole_arn(parameter, value, taken):
    assert bool(re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value)) == taken


def test_every_credentials_have_a_secret_that_can_take_their_place():
    assert sorted(SECRET_ARNS) == sorted(["IncodeApiSecretArn", *(
        name.replace("Credentials", "SecretArn") for name in PARAMETERS if name.endswith("Credentials"))])


def test_every_rule_about_credentials_says_what_to_do():
    rules = {name: rule for name, rule in SOURCE["Rules"].items() if re.search("Credentials|Secret", str(rule))}
    assert len(rules) == 1 + len(SECRET_ARNS)
    for name, rule in rules.items():
        for assertion in rule["Assertions"]:
            assert re.search(r"\b(Give|Set|Put)\b", assertion["AssertDescription"]), name


# ---- Functions ----

@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_built_from_its_own_folder(function):
    binary = FUNCTIONS[function]["Metadata"]["BuildProperties"]["Binary"]
    assert function == binary.title().replace("-", "")
    assert FUNCTIONS[function]["Properties"]["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{binary}"}
    assert f'name = "{binary}"' in (ROOT / "functions" / binary / "Cargo.toml").read_text("utf-8")


@pytest.mark.parametrize("function", RECEIVERS)
def test_the_concurrency_of_every_receiver_can_be_limited(function):
    limited, limit, otherwise = FUNCTIONS[function]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"]
    assert (limited, limit) in (
        ("LimitEvents", {"Ref": "EventsConcurrency"}), ("LimitWebhooks", {"Ref": "WebhooksConcurrency"}))
    assert otherwise == NO_VALUE


# ---- Queues ----

def test_every_queue_is_reached_over_tls_alone():
    over_tls = {"Sid": "OnlyOverTls", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policies = [policy["Properties"] for policy in of_type("AWS::SQS::QueuePolicy").values()]
    assert all(over_tls in policy["PolicyDocument"]["Statement"] for policy in policies)
    assert sorted(queue["Ref"] for policy in policies for queue in policy["Queues"]) == sorted(of_type("AWS::SQS::Queue"))


@pytest.mark.parametrize("queue", ["DecisionsQueue", "QuarantineQueue"])
def test_an_update_from_an_earlier_release_leaves_each_queue_with_its_policy(queue):
    # There one resource had the policies of both. CloudFormation takes a policy off the queues that leave a resource, or
    # that a deployment which fails has just given one.
    [policy] = [policy for policy in of_type("AWS::SQS::QueuePolicy").values()
                if {"Ref": queue} in policy["Properties"]["Queues"]]
    assert (policy["DependsOn"], policy["DeletionPolicy"]) == ("OnlyOverTls", "Retain")


@by_text("a message put on a queue as another queue's dead letter")
def test_no_queue_takes_dead_letters_of_others():
    # SQS puts them past a queue's policy. The dead-letter queues' own are said after the deployment: see dead_letters.py.
    queues = {name: queue["Properties"] for name, queue in of_type("AWS::SQS::Queue").items()}
    targets = {queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
               for queue in queues.values() if "RedrivePolicy" in queue}
    assert targets == {"DecisionsDeadLetterQueue", "QuarantineQueue"}
    for name, queue in queues.items():
        assert queue.get("RedriveAllowPolicy") == (
            None if name in targets else {"redrivePermission": "denyAll"}), name


# ---- The sessions table ----

def test_the_own_table_is_only_named_where_the_stack_has_one():
    assert RESOURCES["SessionsTable"]["Condition"] == "OwnsTable"
    names = [(path, part) for path, part in parts({**RESOURCES, "Outputs": SOURCE["Outputs"]})
             if part in ({"Ref": "SessionsTable"}, {"Fn::GetAtt": ["SessionsTable", "Arn"]})
             or (isinstance(part, str) and "${SessionsTable.Arn}" in part)]
    assert len(names) > len(FUNCTIONS)
    for path, _ in names:
        # …, "Fn::If", 1, perhaps "Fn::Sub": what the condition gives where it holds.
        position = max(at for at, step in enumerate(path) if step == "Fn::If")
        assert path[position + 1] == 1, path
        whole: Any = {**RESOURCES, "Outputs": SOURCE["Outputs"]}
        for step in path[:position + 1]:
            whole = whole[step]
        assert whole[0] == "OwnsTable" and "SessionsTableName" in str(whole[2]), path


# ---- Routes ----

def test_there_are_no_routes_and_integrations_beside_the_apis_body():
    # API Gateway doesn't support them beside a body; an emulator takes them.
    beside = {resource["Type"] for resource in RESOURCES.values() if resource["Type"].startswith("AWS::ApiGatewayV2::")}
    assert beside == {"AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping"}


def test_no_path_ends_in_a_slash():
    # SAM makes no route of it, and says nothing.
    paths = [event["Path"] for _, event in events()] + list(RESOURCES["Api"]["Properties"]["DefinitionBody"]["paths"])
    assert [path for path in paths if path.endswith("/")] == []


def test_a_slash_behind_a_webhooks_path_reaches_the_same_function():
    routes = {event["Path"]: name for name, event in events() if event["Method"] == "POST"}
    for path, function in routes.items():
        if not path.endswith("{proxy+}"):
            greedy = [f"{path.rsplit('/', level)[0]}/{{proxy+}}" for level in range(path.count("/"))]
            nearest = next(routes[route] for route in greedy if route in routes)
            assert nearest == function, path


ADAPTER = ("user/lookup", "otp/send", "consent/text", "consent/storage", "client/evaluate", "client/approve")


def test_the_adapters_six_paths_are_routed_by_name_and_no_other():
    paths = RESOURCES["Api"]["Properties"]["DefinitionBody"]["paths"]
    assert list(paths) == [f"/wultra/{path}" for path in ADAPTER]


@pytest.mark.parametrize("path", ADAPTER)
def test_what_is_for_the_adapter_is_passed_on_unchanged(path):
    # With requestParameters or responseParameters API Gateway would change headers, the query or the path.
    operation = {
        "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "POST", "uri": {"Fn::Sub": f"${{WultraAdapterUrl}}/{path}"},
            "payloadFormatVersion": "1.0", "timeoutInMillis": 30000},
        "responses": {},
    }
    assert RESOURCES["Api"]["Properties"]["DefinitionBody"]["paths"][f"/wultra/{path}"] == {
        "Fn::If": ["ForwardsToAdapter", {"post": operation}, NO_VALUE]}


# ---- Floods ----

@by_text("a flood")
def test_every_route_is_throttled_and_wultras_apart():
    # Wultra never sends again what got 429.
    api = RESOURCES["Api"]["Properties"]
    assert api["DefaultRouteSettings"] == settings("Request")
    condition, of_wultra, otherwise = api["RouteSettings"]["Fn::If"]
    assert (condition, otherwise) == ("UsesWultra", NO_VALUE)
    routes = {f"{event['Method']} {event['Path']}" for name, event in events() if name == "WultraEvents"}
    assert of_wultra == dict.fromkeys(routes, settings("WultraRequest"))
    names = [f"{name}{kind}" for name in ("Request", "WultraRequest") for kind in ("Rate", "Burst")]
    assert [PARAMETERS[name]["Default"] for name in names] == [100, 200, 500, 1000]


def settings(name: str) -> dict[str, Any]:
    return {"ThrottlingBurstLimit": {"Ref": f"{name}Burst"}, "ThrottlingRateLimit": {"Ref": f"{name}Rate"}}


#: What Lambda delivers at most, and what all but Wultra need.
WHOLE, ENOUGH = 6 * 1024 * 1024, 1024 * 1024


@pytest.mark.parametrize("function", RECEIVERS)
def test_every_receiver_is_told_how_long_its_providers_bodies_may_be(function):
    [provider] = [name.removesuffix("_CREDENTIALS").title() for name in variables_of(FUNCTIONS[function])
                  if name.endswith("_CREDENTIALS")]
    assert variables_of(FUNCTIONS[function])["BODY_LIMIT"] == {"Ref": f"{provider}BodyLimit"}
    parameter = PARAMETERS[f"{provider}BodyLimit"]
    assert (parameter["Default"], parameter["MaxValue"]) == (WHOLE if provider == "Wultra" else ENOUGH, WHOLE)


def test_no_other_function_has_a_limit_on_bodies():
    assert [name for name in FUNCTIONS if "BODY_LIMIT" in variables_of(FUNCTIONS[name])] == RECEIVERS


# ---- Parameters ----

@pytest.mark.parametrize("value, taken", [
    ("", True),
    ('{"secrets":["s"]}', True),
    ('\n  {\n  "secrets": ["s"]\n}\n', True),
    ("{", False),
    ("{}", False),
    ("{secrets: [s]}", False),
    ("{'secrets': ['s']}", False),
    ("secrets:\n  - s", False),
    ('["s"]', False),
    ('"s"', False),
    ('{"secrets":["s"]', False),
    ('{"secrets":["s"]} and more', False),
    (" ", False),
])
@pytest.mark.parametrize("parameter", [name for name in PARAMETERS if name.endswith("Credentials")])
def test_credentials_are_empty_or_look_like_a_json_object(parameter, value, taken):
    assert bool(re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value)) == taken


@pytest.mark.parametrize("value, taken", [
    ("", True),
    ("https://adapter.example.com", True),
    ("https://adapter.example.com:8443/onboarding/v1.0", True),
    ("https://adapter.example.com/%7Ebank", True),
    ("http://adapter.example.com", False),
    ("https://adapter.example.com/", False),
    ("https://adapter.example.com/onboarding/", False),
    ("https://adapter.example.com//onboarding", False),
    ("https://adapter.example.com/onboarding?tenant=1", False),
    ("https://adapter.example.com/{proxy}", False),
    ("https://adapter.example.com/${stageVariables.path}", False),
    ("https://user:password@adapter.example.com", False),
    ("adapter.example.com", False),
])
def test_the_adapters_url_is_https_and_can_be_built_on(value, taken):
    assert bool(re.fullmatch(PARAMETERS["WultraAdapterUrl"]["AllowedPattern"], value)) == taken


def test_every_parameter_is_in_one_group_of_the_console():
    groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


def test_no_secret_is_shown():
    assert all(PARAMETERS[name]["NoEcho"] is True for name in PARAMETERS if name.endswith("Credentials"))


# ---- Versions ----

@functools.cache
def transformed(**parameters: str) -> dict[str, Any]:
    """The template as AWS transforms it, which knows the parameters then. The emulator doesn't know CodeDeploy."""
    source = yaml_parse(TEMPLATE.replace("CodeUri: .\n", "CodeUri: s3://code/function.zip\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        return transform(source, parameters, SimpleNamespace(load=dict))


def names_of(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sam_publishes_a_version_of_every_function_for_each_release(function):
    assert SOURCE["Globals"]["Function"]["AutoPublishAlias"] == "live"
    assert FUNCTIONS[function]["Properties"]["AutoPublishCodeSha256"] == {"Ref": "Release"}
    # SAM appends the release to it. AWS takes 256 characters.
    [more] = re.findall(r"\{0,(\d+)}", PARAMETERS["Release"]["AllowedPattern"])
    longest = 10 + int(more)
    assert len(FUNCTIONS[function]["Properties"]["Description"]) + 1 + longest <= 256


@pytest.mark.parametrize("value, is_taken", [
    ("", True), ("0123456789", True), ("0f" * 16 + "-" + "0f" * 16, True), ("012345678", False), ("012345678-", False),
    ("0123456789_", False), ("0123456789" * 11, False)])
def test_a_release_begins_with_what_can_be_in_the_name_of_a_resource(value, is_taken):
    assert bool(re.fullmatch(PARAMETERS["Release"]["AllowedPattern"], value)) == is_taken


def test_another_release_makes_other_versions_and_the_same_one_none():
    first, same, other = (names_of(transformed(Release=name), "AWS::Lambda::Version") for name in (
        "1111111111-a", "1111111111-a", "2222222222-a"))
    assert len(first) == len(FUNCTIONS) and first == same and not {*first} & {*other}
    # The old ones stay, to go back to.
    assert all(version["DeletionPolicy"] == "Retain" for version in first.values())


def test_nothing_but_the_alias_starts_a_function():
    template = transformed(Release="1111111111-a")
    aliases = {f"{function}Aliaslive" for function in FUNCTIONS}
    started = [resource["Properties"]["FunctionName"] for kind in ("Permission", "EventSourceMapping")
               for resource in names_of(template, f"AWS::Lambda::{kind}").values()]
    started += [target["Arn"] for rule in names_of(template, "AWS::Events::Rule").values()
                for target in rule["Properties"]["Targets"]]
    assert started and {each["Ref"] for each in started} <= aliases
    uris = re.findall(r"functions/\$\{([\w.]+)}/invocations", str(template["Resources"]["Api"]))
    assert uris and {*uris} <= aliases
    for config in names_of(template, "AWS::Lambda::EventInvokeConfig").values():
        assert config["Properties"]["Qualifier"] == "live"


def test_without_canaries_nothing_of_codedeploy_is_asked_for():
    template = transformed(Release="1111111111-a")
    assert not {resource["Type"] for resource in template["Resources"].values()} & {
        "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"}
    assert all("UpdatePolicy" not in alias for alias in names_of(template, "AWS::Lambda::Alias").values())
    for name in ("CanaryRole", *(f"{function}VersionAlarm" for function in FUNCTIONS)):
        assert RESOURCES[name]["Condition"].startswith("Canaries")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_canary_is_taken_back_by_the_new_versions_own_errors(function):
    template = transformed(Release="1111111111-a", Canary="true")
    alias = template["Resources"][f"{function}Aliaslive"]
    group = template["Resources"][alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]]
    assert group.get("Condition") == FUNCTIONS[function].get("Condition")
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"]
    [alarm] = group["Properties"]["AlarmConfiguration"]["Alarms"]
    condition, name, otherwise = alarm["Name"]["Fn::If"]
    assert (name, otherwise) == ({"Ref": f"{function}VersionAlarm"}, NO_VALUE)
    rings = template["Resources"][name["Ref"]]
    assert rings["Condition"] == condition
    version = alias["Properties"]["FunctionVersion"]
    assert {one["Name"]: one["Value"] for one in rings["Properties"]["Dimensions"]} == {
        "FunctionName": {"Ref": function}, "Resource": {"Fn::Sub": f"${{{function}}}:live"}, "ExecutedVersion": version}
    assert version == {"Fn::GetAtt": [f"{function}Version1111111111", "Version"]}
