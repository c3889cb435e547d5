"""What MiniStack leaves undone of a deployed stack, or can't do. AWS needs none of this.

MiniStack makes no routes from the OpenAPI body of an HTTP API, its `{proxy+}` doesn't match an empty rest of a path as
API Gateway's does, it has no TLS, which the policies of the queues demand, to policies a caller that has assumed a role
isn't the role, it makes tables without expiry and recovery, and roles without a boundary.
"""
from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterable, Mapping, Union

from . import dead_letters
from .deployed import ALIAS_ID, DeployedTemplate, Route, ToFunction, ToUrl
from .table_settings import Table, differences

#: Makes a new boto3 client of a service of the emulator.
Connect = Callable[[str], Any]
#: Creates an integration of a route, as arguments of API Gateway's call.
Integration = Mapping[str, Union[str, Mapping[str, str]]]

GREEDY = "{proxy+}"
#: The ARN of a role: what stands before and after the service, and the role's name, without its path.
ROLE = re.compile(r"(arn:[\w-]+:)iam(::\d{12}:)role/(?:.*/)?([^/]+)")
NO_STAND_INS: Mapping[str, str] = {}


def bridge_gaps(stack: str, connect: Connect, stand_ins: Mapping[str, str] = NO_STAND_INS) -> None:
    """Does what MiniStack leaves undone of a stack, and what a deployment does after CloudFormation. To be called again
    after each update of the stack; twice changes nothing.

    `stand_ins` names other URLs for those that routes pass requests on to, or that these begin with.
    """
    import_routes(stack, connect, stand_ins)
    adapt_queue_policies(stack, connect)
    dead_letters.restrict(stack, connect)
    finish_table(stack, connect)
    bound_roles(stack, connect)


def import_routes(stack: str, connect: Connect, stand_ins: Mapping[str, str] = NO_STAND_INS) -> None:
    """Gives the stack's API the routes that its template says, and no others."""
    template = DeployedTemplate(stack, connect("cloudformation"))
    functions = connect("lambda")
    wanted = {
        key: (authorization(route), integration_of(route, template, functions, stand_ins))
        for key, route in with_empty_rests(template.routes()).items()}
    gateway, api = connect("apigatewayv2"), template.physical["Api"]
    missing = wanted.keys() - remove_other_routes(gateway, api, wanted)
    for key in sorted(missing):
        authorized, integration = wanted[key]
        created = gateway.create_integration(ApiId=api, **integration)
        gateway.create_route(
            ApiId=api, RouteKey=key, Target=f"integrations/{created['IntegrationId']}", AuthorizationType=authorized)


def with_empty_rests(routes: Mapping[str, Route]) -> dict[str, Route]:
    """The routes and, for each greedy one, a route for the path that ends where its rest would begin."""
    empty_rests = {key.removesuffix(GREEDY): route for key, route in routes.items() if key.endswith(f"/{GREEDY}")}
    return {**empty_rests, **routes}


def authorization(route: Route) -> str:
    """How API Gateway calls the authorisation of a route."""
    return "AWS_IAM" if route.needs_iam else "NONE"


def integration_of(
        route: Route, template: DeployedTemplate, functions: Any, stand_ins: Mapping[str, str]) -> Integration:
    """The integration that a route ends in."""
    if isinstance(route.target, ToUrl):
        return to_url(stood_in(route.target.url, stand_ins))
    return {
        "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0",
        "IntegrationUri": invoked(route.target, template, functions)}


def invoked(target: ToFunction, template: DeployedTemplate, functions: Any) -> str:
    """The ARN of what a route invokes: a function's alias, or the function."""
    if target.is_live:
        return template.physical[f"{target.logical_id}{ALIAS_ID}"]
    return functions.get_function_configuration(FunctionName=template.physical[target.logical_id])["FunctionArn"]


def to_url(url: str) -> Integration:
    """Passes requests on to a URL. MiniStack appends the path of the request to it; API Gateway doesn't."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return {
        "IntegrationType": "HTTP_PROXY", "PayloadFormatVersion": "1.0", "IntegrationMethod": "POST",
        "IntegrationUri": f"{scheme}://{host}", "RequestParameters": {"overwrite:path": f"{slash}{path}"}}


def stood_in(url: str, stand_ins: Mapping[str, str]) -> str:
    """The URL, or what stands in for it."""
    for real, local in stand_ins.items():
        if url == real or url.startswith(f"{real}/"):
            return local + url.removeprefix(real)
    return url


def remove_other_routes(gateway: Any, api: str, wanted: Mapping[str, tuple[str, Integration]]) -> set[str]:
    """Removes the routes of an API that aren't as they should be, with their integrations. Returns the keys of the rest."""
    pages = gateway.get_paginator("get_integrations").paginate(ApiId=api)
    integrations = {one["IntegrationId"]: one for page in pages for one in page["Items"]}
    right: set[str] = set()
    for route in [one for page in gateway.get_paginator("get_routes").paginate(ApiId=api) for one in page["Items"]]:
        key, integration = route["RouteKey"], route["Target"].removeprefix("integrations/")
        if key in wanted and key not in right and is_as(wanted[key], route, integrations.get(integration, {})):
            right.add(key)
            continue
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
        if integration in integrations:
            gateway.delete_integration(ApiId=api, IntegrationId=integration)
    return right


def is_as(wanted: tuple[str, Integration], route: Mapping[str, Any], integration: Mapping[str, Any]) -> bool:
    """Whether a route is what it should be."""
    authorized, members = wanted
    return route["AuthorizationType"] == authorized and members == {name: integration.get(name) for name in members}


def adapt_queue_policies(stack: str, connect: Connect) -> None:
    """Takes the demand for TLS out of the policies of the stack's queues, and has roles' sessions taken for their roles.
    The rest of each policy stays in force."""
    queues = over_tls(connect)
    for url in DeployedTemplate(stack, connect("cloudformation")).resources("AWS::SQS::Queue").values():
        attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
        policy = json.loads(attributes.get("Policy") or '{"Statement": []}')
        kept = adapted(policy["Statement"])
        if kept != policy["Statement"]:
            rest = json.dumps({**policy, "Statement": kept}) if kept else ""
            queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": rest})


def adapted(statements: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The statements of a queue's policy as the emulator needs them."""
    return [with_sessions(statement) for statement in statements if not demands_tls(statement)]


def finish_table(stack: str, connect: Connect) -> None:
    """Gives the stack's own table what its template says: MiniStack leaves expiry and recovery out."""
    template, database = DeployedTemplate(stack, connect("cloudformation")), connect("dynamodb")
    for logical_id, name in template.resources("AWS::DynamoDB::Table").items():
        for difference in differences(Table.read(database, name), template.declared(logical_id)):
            difference.mend(database)


def bound_roles(stack: str, connect: Connect) -> None:
    """Gives the stack's roles the permissions boundary that its template says."""
    template, iam = DeployedTemplate(stack, connect("cloudformation")), connect("iam")
    for logical_id, name in template.resources("AWS::IAM::Role").items():
        boundary = template.declared(logical_id).get("PermissionsBoundary")
        if boundary:
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)


def demands_tls(statement: Mapping[str, Any]) -> bool:
    """Whether a statement of a policy is about TLS."""
    keys = [key.lower() for operands in statement.get("Condition", {}).values() for key in operands]
    return "aws:securetransport" in keys


def with_sessions(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement in which conditions on `aws:PrincipalArn` that name a role name its sessions, too: in AWS the key holds
    the role that a caller has assumed, in MiniStack the session."""
    conditions = {
        operator: {
            key: sessions_too(value) if key.lower() == "aws:principalarn" else value for key, value in operands.items()}
        for operator, operands in statement.get("Condition", {}).items()}
    return {**statement, "Condition": conditions} if conditions else {**statement}


def sessions_too(arns: Union[str, list[str]]) -> list[str]:
    """The ARNs and, for each role's, the pattern of its sessions' ARNs."""
    arns = [arns] if isinstance(arns, str) else arns
    sessions = [ROLE.sub(r"\1sts\2assumed-role/\3/*", arn) for arn in arns if ROLE.fullmatch(arn)]
    return [*arns, *(session for session in sessions if session not in arns)]


def over_tls(connect: Connect) -> Any:
    """A client of SQS that MiniStack takes for one behind a proxy that ends TLS."""
    queues = connect("sqs")
    queues.meta.events.register(
        "before-call.sqs", lambda params, **_: params["headers"].update({"X-Forwarded-Proto": "https"}))
    return queues
