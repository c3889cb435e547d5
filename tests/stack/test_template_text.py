"""What the template's text has to hold to, since an emulator takes what AWS refuses, or does it another way."""
from __future__ import annotations

import re
from typing import Any, Iterator

import pytest
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
             for member, value in resource.get("Properties", {}).items() if member.endswith("Name")}
    # The function that an event source calls isn't a name that it gives.
    assert names.pop(("ReplayFromIntake", "FunctionName")) == "{'Ref': 'Replay'}"
    assert names.pop(("IncodePollerFromWakeUp", "FunctionName")) == "{'Ref': 'IncodePoller'}"
    assert len(names) == len(FUNCTIONS) + 1
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
    assert set(ROLES) == {f"{function}Role" for function in FUNCTIONS}


#: The functions that receive webhooks, by the policy that they share.
RECEIVERS = [function for function in FUNCTIONS
             if {"Ref": "ReceiveWebhooks"} in ROLES[f"{function}Role"]["Properties"].get("ManagedPolicyArns", [])]


def test_every_receiver_and_no_other_function_may_put_webhooks_on_intake():
    [statement] = [statement for policy in of_type("AWS::SQS::QueuePolicy").values()
                   for statement in policy["Properties"]["PolicyDocument"]["Statement"] if statement["Sid"] == "OnlyFromUs"]
    allowed = [choice["Fn::If"][:2] for choice in statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]]
    receivers = [[FUNCTIONS[function]["Condition"], {"Fn::GetAtt": [f"{function}Role", "Arn"]}] for function in RECEIVERS]
    assert len(receivers) >= 4
    assert sorted(map(str, allowed)) == sorted(map(str, [*receivers, ["HasOperator", {"Ref": "OperatorArn"}]]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_sends_traces_if_the_stack_has_them(function):
    assert {"Fn::If": ["Traces", {"Ref": "SendTraces"}, NO_VALUE]} in (
        ROLES[f"{function}Role"]["Properties"]["ManagedPolicyArns"])


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
    assert [name for name, resource in RESOURCES.items() if resource["Type"].startswith("AWS::ApiGatewayV2::")] == []


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
