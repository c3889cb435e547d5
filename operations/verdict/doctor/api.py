"""The API: its routes, where each leads, and that it may invoke the functions behind them."""
from __future__ import annotations

import functools
import json
from typing import Any, Iterator, Mapping

from botocore.exceptions import ClientError

from ..bridge import authorization, with_empty_rests
from ..deployed import Route, ToFunction
from ..stack import Stack
from .finding import BY_HAND, Finding, Fine, Look, Result, results

API = "Api"
REIMPORT = "create it again in API Gateway (locally, `make deploy` does)"


def looks(stack: Stack) -> Iterator[Look]:
    yield functools.partial(routes, stack)
    for logical_id in stack.template.resources("AWS::Lambda::Permission"):
        yield functools.partial(permission, stack, logical_id)


def routes(stack: Stack) -> Iterator[Result]:
    """Compares the API's routes with those that the template makes."""
    expected = stack.template.routes()
    if stack.aws.is_local:
        # The bridge makes two routes of each greedy one.
        expected = with_empty_rests(expected)
    try:
        found, integrations = existing(stack)
    except ClientError as error:
        yield Finding(API, f"can't be read ({error.response['Error']['Code']})", "delete the stack and deploy it anew")
        return
    for key, route in expected.items():
        if key not in found:
            yield Finding(API, f"the route {key} is gone", REIMPORT)
        else:
            yield from results(key, *wrong_route(stack, key, route, found[key], integrations))
    for key in sorted(found.keys() - expected.keys()):
        yield Finding(API, f"the route {key} is none of the template's", "delete it in API Gateway")


def existing(stack: Stack) -> tuple[dict[str, Any], dict[str, Any]]:
    """The API's routes by key, and its integrations by id."""
    gateway, api = stack.client("apigatewayv2"), stack.physical(API)

    def everything(operation: str) -> Iterator[dict[str, Any]]:
        return (item for page in gateway.get_paginator(operation).paginate(ApiId=api) for item in page["Items"])

    return ({route["RouteKey"]: route for route in everything("get_routes")},
            {each["IntegrationId"]: each for each in everything("get_integrations")})


def wrong_route(
        stack: Stack, key: str, expected: Route, found: Mapping[str, Any],
        integrations: Mapping[str, Any]) -> Iterator[Finding]:
    if found.get("AuthorizationType", "NONE") != authorization(expected):
        asked = "IAM's signature" if expected.needs_iam else "nothing"
        yield Finding(API, f"the route {key} should ask for {asked}, and asks for {found.get('AuthorizationType')}", BY_HAND)
    integration = integrations.get(found.get("Target", "").removeprefix("integrations/"), {})
    uri = integration.get("IntegrationUri", "")
    if isinstance(expected.target, ToFunction):
        leads = is_led_to(stack, expected.target, uri)
    else:
        # Locally another adapter may stand in.
        leads = integration.get("IntegrationType") == "HTTP_PROXY" and (stack.aws.is_local or uri == expected.target.url)
    if not leads:
        yield Finding(API, f"the route {key} does not lead to {name(expected)}", BY_HAND)


def is_led_to(stack: Stack, target: ToFunction, uri: str) -> bool:
    """Whether the URI of an integration is the function's, and if there is an alias, that one's."""
    invoked = stack.template.alias(target.logical_id) or stack.template.arn(target.logical_id)
    return uri.removesuffix("/invocations").rpartition("/")[2] == invoked


def name(route: Route) -> str:
    return route.target.logical_id if isinstance(route.target, ToFunction) else route.target.url


def permission(stack: Stack, logical_id: str) -> Iterator[Result]:
    """Looks for the statement that lets a route or a schedule invoke its function."""
    properties = stack.template.properties(logical_id)
    function = properties["FunctionName"]
    try:
        policy = json.loads(stack.client("lambda").get_policy(FunctionName=function)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        policy = {"Statement": []}
    if any(lets_in(statement, properties) for statement in policy["Statement"]):
        yield Fine(logical_id)
    else:
        yield Finding(
            logical_id, f"{properties['Principal']} may no longer invoke {function} from {properties['SourceArn']}",
            f"allow it again (aws lambda add-permission --function-name {function} --statement-id {logical_id} "
            f"--action lambda:InvokeFunction --principal {properties['Principal']} "
            f"--source-arn '{properties['SourceArn']}')")


def lets_in(statement: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    sources = statement.get("Condition", {}).get("ArnLike", {})
    return (statement["Effect"] == "Allow"
            and statement.get("Principal") == {"Service": properties["Principal"]}
            and {name.lower(): source for name, source in sources.items()} == {"aws:sourcearn": properties["SourceArn"]})
