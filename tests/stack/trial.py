"""Stacks made of the template for a test, with functions that only tell what they were called with.

    with Deployed(endpoint, **credentials("Wultra")) as stack:
        stack.bridge()
        stack.post("/wultra/process/event").json     # {"function": "wultra-events", "event": {…}}
"""
from __future__ import annotations

import functools
import io
import json
import re
import sys
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from typing import Any, Mapping, Optional

from verdict import bridge

from .deployment import NAME, ROOT, client, connect

TEMPLATE = (ROOT / "template.yaml").read_text("utf-8")
CODE = {"Bucket": "code", "Key": "function.zip"}
WAIT = {"Delay": 0.2, "MaxAttempts": 150}
REQUEST_SECONDS = 30

#: A function's whole code: what it answers is its own name, the event, and the keys that Lambda gives it.
ECHO = f"""#!{sys.executable} -I
import json, os, urllib.request

invocations = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(invocations + "next") as invocation:
        event, request = json.load(invocation), invocation.headers["Lambda-Runtime-Aws-Request-Id"]
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    keys = {{name: os.environ[name.upper()] for name in names}}
    heard = {{"function": os.environ["AWS_LAMBDA_FUNCTION_NAME"], "event": event, "keys": keys}}
    answer = json.dumps({{"statusCode": 200, "body": json.dumps(heard)}}).encode()
    urllib.request.urlopen(invocations + request + "/response", answer).close()
"""


def upload_code(endpoint: str) -> None:
    """Puts the code of all functions where `create` looks for it."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", ECHO)
    storage = client("s3", endpoint)
    storage.create_bucket(Bucket=CODE["Bucket"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    storage.put_object(**CODE, Body=package.getvalue())


def arguments(
        endpoint: str, name: str, parameters: Mapping[str, str], template: str = TEMPLATE) -> dict[str, Any]:
    """What CloudFormation is given to make a stack of the template, or to bring it up to date.

    The template is uploaded, as `sam deploy` does: in the call itself, CloudFormation takes 51,200 bytes at most.
    """
    template, replaced = re.subn(r"CodeUri: \.\n", "CodeUri: s3://code/function.zip\n", template)
    assert replaced == 1
    client("s3", endpoint).put_object(Bucket=CODE["Bucket"], Key=f"{name}.yaml", Body=template.encode("utf-8"))
    return {
        "StackName": name, "TemplateURL": f"{endpoint}/{CODE['Bucket']}/{name}.yaml",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]}


def create(endpoint: str, name: str, parameters: Mapping[str, str], template: str = TEMPLATE) -> None:
    """Has a stack made of the template, or of one like it."""
    client("cloudformation", endpoint).create_stack(**arguments(endpoint, name, parameters, template))


def credentials(*providers: str) -> dict[str, str]:
    """Parameters with credentials that the template takes for those providers'."""
    return {f"{provider}Credentials": f'{{"of":"{provider}"}}' for provider in providers}


@dataclass(frozen=True)
class Answer:
    """What came back from the API."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Deployed:
    """A stack made of the template and some parameters. Is deleted at the end, as a context manager."""

    template = TEMPLATE

    def __init__(self, endpoint: str, name: str = NAME, **parameters: str):
        self.endpoint, self.name = endpoint, name
        self.cloudformation = client("cloudformation", endpoint)
        create(endpoint, name, parameters, self.template)
        self._await("stack_create_complete")

    def update(self, **parameters: str) -> None:
        """Gives the stack other parameters; what is left out has its default again."""
        self.cloudformation.update_stack(**arguments(self.endpoint, self.name, parameters, self.template))
        self._await("stack_update_complete")

    def delete(self) -> None:
        self.cloudformation.delete_stack(StackName=self.name)
        self._await("stack_delete_complete")

    def _await(self, state: str) -> None:
        self.cloudformation.get_waiter(state).wait(StackName=self.name, WaiterConfig=WAIT)

    def __enter__(self) -> Deployed:
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()

    @property
    def resources(self) -> dict[str, str]:
        """The physical ids, by logical id."""
        found = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    def of_type(self, kind: str) -> dict[str, str]:
        """The physical ids of the resources of one type, by logical id."""
        found = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"]
                for resource in found if resource["ResourceType"] == kind}

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions' configurations, by their names without the stack's."""
        lambdas = client("lambda", self.endpoint)
        return {name.removeprefix(f"{self.name}-"): lambdas.get_function_configuration(FunctionName=name)
                for name in self.of_type("AWS::Lambda::Function").values()}

    @property
    def outputs(self) -> dict[str, str]:
        [stack] = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def variables(self, function: str) -> dict[str, str]:
        return self.functions[function]["Environment"]["Variables"]

    # ---- Its API ----

    @property
    def connect(self) -> bridge.Connect:
        return functools.partial(connect, endpoint=self.endpoint)

    def bridge(self, **stand_ins: str) -> None:
        bridge.bridge_gaps(self.name, self.connect, stand_ins)

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The API's routes, by route key."""
        found = client("apigatewayv2", self.endpoint).get_routes(ApiId=self.resources["Api"])["Items"]
        routes = {route["RouteKey"]: route for route in found}
        assert len(routes) == len(found), "a route is there twice"
        return routes

    def post(self, path: str, body: bytes = b"{}", **headers: str) -> Answer:
        """Sends a request to the API."""
        url = f"{self.endpoint}/_aws/execute-api/{self.resources['Api']}/$default{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **named}, method="POST")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = direct.open(request, timeout=REQUEST_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.headers, answer.read())

    def reached(self, path: str) -> Optional[str]:
        """The function that a request to a path reaches; None if API Gateway has no route for it."""
        answer = self.post(path)
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        return answer.json["function"].removeprefix(f"{self.name}-")

    # ---- Its permissions ----

    def statements(self, function: str) -> list[dict[str, Any]]:
        """What the policies of a function's role say."""
        role = self.functions[function]["Role"].rsplit("/", 1)[-1]
        iam = client("iam", self.endpoint)
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                     for name in iam.list_role_policies(RoleName=role)["PolicyNames"]]
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
        return [statement for document in documents for statement in document["Statement"]]

    def as_function(self, function: str, service: str) -> Any:
        """A client of a service with the keys that a function has."""
        answer = client("lambda", self.endpoint).invoke(FunctionName=f"{self.name}-{function}", Payload=b"{}")
        keys = json.loads(json.loads(answer["Payload"].read())["body"])["keys"]
        return connect(service, self.endpoint, keys)

    def allowed(self, function: str) -> set[tuple[str, str]]:
        """What a function may do: pairs of an action and the ARN of a resource."""
        return {(action, resource) for statement in self.statements(function)
                for action in listed(statement["Action"]) for resource in listed(statement["Resource"])}

    def queue_policy(self, logical_id: str) -> Any:
        """The policy of one of its queues."""
        attributes = bridge.over_tls(self.connect).get_queue_attributes(
            QueueUrl=self.resources[logical_id], AttributeNames=["Policy"]).get("Attributes", {})
        return json.loads(attributes["Policy"]) if attributes.get("Policy") else None


def listed(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
