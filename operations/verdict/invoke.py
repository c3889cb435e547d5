"""Invokes one function of the local stack, with a sample as API Gateway would hand it over, and shows its answer and its
log. In AWS it would be a way past the API, and past what `intake` lets be asked for."""
from __future__ import annotations

import base64
import difflib
import json
from typing import Any, Optional

import click

from . import options
from .aws import Aws
from .deployed import ALIAS
from .problem import Problem
from .send import event_of, webhooks, with_sample
from .stack import Stack
from .tables import show_json

#: How Lambda marks the lines that it adds to a function's own.
LAMBDA = ("START ", "END ", "REPORT ", "INIT_START ", "XRAY ")


def live_version(stack: Stack, name: str) -> str:
    """What invokes the live version of a function, by a name such as VeriffDecisions or veriff-decisions."""
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
    found = {each["LogicalResourceId"]: each["PhysicalResourceId"] for page in pages
             for each in page["StackResourceSummaries"] if each["ResourceType"] == "AWS::Lambda::Function"}
    names = {plain(logical_id): logical_id for logical_id in found}
    if plain(name) in names:
        return f"{found[names[plain(name)]]}:{ALIAS}"
    close = difflib.get_close_matches(plain(name), names, 1)
    raise Problem(f"the stack {stack.name} has no function {name}; "
                  + (f"did you mean {names[close[0]]}?" if close else f"it has {', '.join(sorted(found))}"))


def plain(name: str) -> str:
    return name.replace("-", "").lower()


def invoke(stack: Stack, function: str, event: Any) -> tuple[Any, list[str], bool]:
    """What a function answers, the last lines of its log, and whether it failed."""
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), LogType="Tail")
    log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace").splitlines()
    lines = [line for line in log if line and not line.startswith(LAMBDA)]
    return json.loads(answer["Payload"].read() or b"null"), lines, "FunctionError" in answer


@click.command("invoke", short_help="Invoke a function of the local stack, past the API.")
@click.argument("function", envvar="FUNCTION")
@click.argument("sample", envvar="SAMPLE", required=False)
@options.stack_name
@options.endpoint
@with_sample
@click.pass_context
def invoke_command(context: click.Context, /, function: str, sample: Optional[str], stack_name: str,
                   endpoint: Optional[str], **wished: Any) -> None:
    """Invoke a FUNCTION of the local stack, such as VeriffDecisions, with a SAMPLE, such as veriff/decision-approved, past
    the API. Without a sample it gets an empty event, as from a schedule. Prints the answer; the function's log lines go to
    standard error. Exits with 1 if the function failed."""
    try:
        event = event_of(sample, wished) if sample else {}
    except webhooks.Problem as problem:
        raise Problem(str(problem)) from None
    aws = Aws.connect(endpoint)
    if not aws.is_local:
        raise Problem("this is for the local stack alone: give --local, or --endpoint with its URL")
    stack = Stack.require(aws, stack_name)
    answer, log, failed = invoke(stack, live_version(stack, function), event)
    for line in log:
        click.echo(line, err=True)
    show_json(answer)
    if failed:
        context.exit(1)
