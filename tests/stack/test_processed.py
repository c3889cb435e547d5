"""What the parameters for an account with rules of its own come to, in the template as CloudFormation gets it."""
from __future__ import annotations

from typing import Any, Iterator

import pytest

from .audit import SECRETS, everything
from .processed import Processed, transformed
from .regulated import ALL, BOUNDARY, CONSUMERS, DOMAIN, EACH, ONLY_DOMAIN, PROVIDERS, regulated
from .trial import credentials, listed

#: Everything that a parameter can turn on, the resources that SAM makes for it included.
ON = {name: "true" for name, declared in transformed()["Parameters"].items()
      if listed(declared.get("AllowedValues", [])) == ["true", "false"]}
PLAIN = Processed(**ON, **credentials(*PROVIDERS))
EVERYTHING = Processed(**{**everything(), **ON, **ALL})
ROLES, FUNCTIONS = (sorted(PLAIN.resources(kind)) for kind in ("AWS::IAM::Role", "AWS::Lambda::Function"))
QUEUES, GROUPS = (sorted(PLAIN.resources(kind)) for kind in ("AWS::SQS::Queue", "AWS::Logs::LogGroup"))


def of(name: str, **more: str) -> Processed:
    """The template with all that is on, and the parameters of that name."""
    return Processed(**ON, **regulated(name), **more)


def variables(function: str) -> set[str]:
    return set(PLAIN.declared(function)["Environment"]["Variables"])


# ---- Roles ----

def test_no_parameter_for_a_regulated_account_is_left_out_here():
    grouped = {name for group in transformed()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
               if group["Label"]["default"] in ("Domain", "Network and roles", "Keys") for name in group["Parameters"]}
    assert grouped | {"MemorySize", "ConsumerArns"} == set(ALL)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_bounded_and_has_the_path_as_the_parameters_say(role):
    assert of("boundary").declared(role)["PermissionsBoundary"] == BOUNDARY
    assert of("path").declared(role)["Path"] == EACH["path"]["RolePath"]
    assert "PermissionsBoundary" not in PLAIN.declared(role)
    # Not even the default: a role whose template says where it is, is replaced by another one.
    assert "Path" not in PLAIN.declared(role)


def test_every_other_part_of_iam_has_the_path_too():
    policies = EVERYTHING.resources("AWS::IAM::ManagedPolicy")
    assert {EVERYTHING.declared(policy)["Path"] for policy in policies} == {EACH["path"]["RolePath"]}
    kinds = {resource["Type"] for resource in transformed()["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}


def test_each_role_stays_below_ten_attached_policies():
    # More of them are a quota to be raised.
    assert max(len(EVERYTHING.declared(role)["ManagedPolicyArns"]) for role in ROLES) < 10


# ---- Functions ----

@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_the_memory_and_the_network_that_the_parameters_say(function):
    assert (PLAIN.declared(function)["MemorySize"], of("memory").declared(function)["MemorySize"]) == ("512", "256")
    assert of("network").declared(function)["VpcConfig"] == {
        name: value.split(",") for name, value in EACH["network"].items()}
    assert "VpcConfig" not in PLAIN.declared(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_may_be_connected_to_the_network_and_only_if_there_is_one(function):
    role = f"{function}Role"
    assert {"Ref": "UseVpc"} in of("network").declared(role)["ManagedPolicyArns"]
    assert {"Ref": "UseVpc"} not in PLAIN.declared(role)["ManagedPolicyArns"]


def test_the_code_of_a_function_may_not_touch_the_network():
    allowed = {action for statement in statements(of("network"), "UseVpc") if statement["Effect"] == "Allow"
               for action in listed(statement["Action"])}
    assert allowed and all(action.startswith("ec2:") for action in allowed)
    # The key names the function that asks; Lambda itself asks without it.
    assert [(statement["Action"], statement["Resource"], statement["Condition"])
            for statement in statements(of("network"), "UseVpc") if statement["Effect"] == "Deny"] == [
        ("ec2:*", "*", {"Null": {"lambda:SourceFunctionArn": "false"}})]


def statements(template: Processed, policy: str) -> list[dict[str, Any]]:
    return template.declared(policy)["PolicyDocument"]["Statement"]


# ---- Keys ----

def named(tree: Any, value: str, *path: str) -> Iterator[tuple[str, ...]]:
    """Where a value stands in a part of the template."""
    if tree == value:
        yield path
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, part in inner:
        yield from named(part, value, *path, str(name))


def holders(name: str) -> dict[str, set[str]]:
    """The resources that name the key of these parameters, by its property."""
    # A secret has who may rotate it.
    [value], template = EACH[name].values(), of(name, WultraSecretArn=SECRETS["WultraSecretArn"])
    found: dict[str, set[str]] = {}
    for resource in template.physical:
        for path in named(template.declared(resource), value):
            found.setdefault("Statement" if path[0] == "PolicyDocument" else path[-1], set()).add(resource)
    return found


#: The functions whose environment, or secret, holds credentials.
WITH_CREDENTIALS = {function for function in FUNCTIONS if any("_CREDENTIALS" in name for name in variables(function))}
WITH_TABLE = {function for function in FUNCTIONS if "SESSIONS_TABLE" in variables(function)}
WITH_QUEUES = {function for function in FUNCTIONS if any(name.endswith("QUEUE_URL") for name in variables(function))}


@pytest.mark.parametrize("name, expected", [
    ("the table's key", {"KMSMasterKeyId": {"SessionsTable"}, "Statement": {"UseTableKey", "OperatorPolicy"}}),
    ("the queues' key", {"KmsMasterKeyId": set(QUEUES), "Statement": {"UseQueuesKey", "OperatorPolicy"}}),
    ("the secrets' key", {"KmsKeyArn": WITH_CREDENTIALS, "Statement": {"UseSecretsKey", "RotationPolicy"}}),
    ("the logs' key", {"KmsKeyId": set(GROUPS)}),
])
def test_a_key_encrypts_all_of_its_sort_and_nothing_else(name, expected):
    # So that the loss of one takes away one store, and leaves the other.
    assert holders(name) == expected


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_use_the_keys_of_what_it_uses_and_no_other(function):
    attached = {policy["Ref"] for policy in EVERYTHING.declared(f"{function}Role")["ManagedPolicyArns"]}
    expected = {"UseTableKey": WITH_TABLE, "UseQueuesKey": WITH_QUEUES, "UseSecretsKey": WITH_CREDENTIALS}
    assert {policy for policy in attached if policy.endswith("Key")} == {
        policy for policy, functions in expected.items() if function in functions}
    assert not any(policy["Ref"].endswith("Key") for policy in PLAIN.declared(f"{function}Role")["ManagedPolicyArns"])


@pytest.mark.parametrize("name, policy, actions, service", [
    ("the table's key", "UseTableKey", {"kms:Decrypt"}, "dynamodb"),
    ("the queues' key", "UseQueuesKey", {"kms:GenerateDataKey", "kms:Decrypt"}, "sqs"),
    ("the secrets' key", "UseSecretsKey", {"kms:Decrypt"}, "secretsmanager"),
])
def test_a_key_is_used_through_its_service_alone(name, policy, actions, service):
    [statement], [value] = statements(of(name), policy), EACH[name].values()
    assert (set(listed(statement["Action"])), statement["Resource"]) == (actions, value)
    via = {"Fn::Sub": f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}"}
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": via}}


def test_without_keys_of_ones_own_everything_is_encrypted_all_the_same():
    assert PLAIN.declared("SessionsTable")["SSESpecification"] == {"SSEEnabled": True}
    assert {PLAIN.declared(queue)["SqsManagedSseEnabled"] for queue in QUEUES} == {True}
    # SQS takes one of the two.
    assert not any("SqsManagedSseEnabled" in of("the queues' key").declared(queue) for queue in QUEUES)


# ---- The domain ----

def test_every_url_begins_with_the_domain_if_there_is_one():
    urls = {name: value for name, value in of("domain").outputs.items() if name.endswith("Url") and "Queue" not in name}
    assert len(urls) >= 8
    for name, url in urls.items():
        text, hosts = url["Fn::Sub"]
        assert text.startswith("https://${Host}") and hosts == {"Host": DOMAIN}, name
        default = PLAIN.outputs[name]["Fn::Sub"][1]["Host"]
        assert default == {"Fn::Sub": "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}, name


def test_the_domain_leads_to_the_api_over_tls_1_2_and_a_record_can_lead_to_it():
    template = of("domain")
    [configuration] = template.declared("Domain")["DomainNameConfigurations"]
    assert configuration == {"CertificateArn": EACH["domain"]["CertificateArn"], "EndpointType": "REGIONAL",
                             "SecurityPolicy": "TLS_1_2"}
    assert template.declared("DomainMapping") == {
        "DomainName": {"Ref": "Domain"}, "ApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiApiGatewayDefaultStage"}}
    assert {"DomainTarget", "DomainZone"} <= set(template.outputs)
    assert not {"Domain", "DomainMapping"} & set(PLAIN.physical) and "DomainTarget" not in PLAIN.outputs


@pytest.mark.parametrize("parameters, is_off", [
    ({}, False), (EACH["domain"], False), (ONLY_DOMAIN, True), ({"DefaultEndpoint": "false"}, False)],
    ids=["neither", "a domain", "only the domain", "no domain to take its place"])
def test_the_default_endpoint_goes_off_by_a_parameter_of_its_own(parameters, is_off):
    template = Processed(**credentials(*PROVIDERS), **parameters)
    [server] = template.declared("Api")["Body"]["servers"]
    assert server["x-amazon-apigateway-endpoint-configuration"] == {"disableExecuteApiEndpoint": is_off}


# ---- Consumers, the operator ----

def test_consumers_of_other_accounts_may_receive_decisions_and_nothing_else():
    more = [statement for statement in statements(of("consumers"), "OnlyPublishers")
            if statement not in statements(PLAIN, "OnlyPublishers")]
    assert more == [{
        "Sid": "Consumers", "Effect": "Allow", "Principal": {"AWS": list(CONSUMERS)},
        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
        "Resource": {"Fn::GetAtt": ["DecisionsQueue", "Arn"]}}]
    others = [policy for policy in PLAIN.resources("AWS::SQS::QueuePolicy") if policy != "OnlyPublishers"]
    assert all(statements(of("consumers"), policy) == statements(PLAIN, policy) for policy in others)


def test_the_operator_may_invoke_one_function_which_can_only_read():
    invoked = [statement["Resource"] for statement in statements(PLAIN, "OperatorPolicy")
               if "lambda:InvokeFunction" in listed(statement["Action"])]
    assert invoked == [{"Ref": "RebuildPreviewAliaslive"}]


def test_the_operator_may_read_records_and_payloads_and_give_back_what_is_in_quarantine_and_those_on_call_may_not():
    may = {action: statement["Resource"] for statement in statements(PLAIN, "OperatorPolicy")
           for action in listed(statement["Action"])}
    routes = [resource["Fn::Sub"].partition("${Api}")[2] for resource in may["execute-api:Invoke"]]
    assert routes == ["/$default/GET/sessions", "/$default/GET/sessions/payload"]
    assert may["sqs:ChangeMessageVisibility"] == {"Fn::GetAtt": ["QuarantineQueue", "Arn"]}
    on_call = str(EVERYTHING.declared("OnCallPolicy"))
    assert "execute-api:" not in on_call and "Message" not in on_call.replace("CountMessages", "")


def test_who_rotates_reaches_the_providers_secrets_alone_and_no_operator_does():
    [names] = [statement["Resource"] for statement in statements(EVERYTHING, "RotationPolicy")
               if "secretsmanager:PutSecretValue" in listed(statement["Action"])]
    assert names == [SECRETS[f"{provider}SecretArn"] for provider in PROVIDERS]
    assert "secretsmanager:" not in str(EVERYTHING.declared("OperatorPolicy"))
    assert "RotationPolicy" not in PLAIN.physical


def test_the_operators_policy_names_every_resource_and_every_action():
    for statement in statements(EVERYTHING, "OperatorPolicy"):
        assert "*" not in str(statement["Action"]), statement["Sid"]
        # The stack, by its name: the rest of its ARN is an id.
        assert statement["Sid"] == "FindStack" or "*" not in str(statement["Resource"]), statement["Sid"]
