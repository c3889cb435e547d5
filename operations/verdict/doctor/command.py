"""Looks at every part of a stack at once, and reports."""
from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

import click
from botocore.exceptions import BotoCoreError, ClientError

from .. import options, parameters
from ..aws import Aws, one_line
from ..bridge import bridge_gaps
from ..evaluated import NotKnown
from ..parameters import Parameter
from ..stack import Stack
from ..tables import show_json
from . import api, domain, functions, logs, portals, probes, queues, roles, table, triggers
from .finding import Finding, Fine, Inspection, Look, Result, folded

INSPECTIONS: dict[str, Inspection] = {
    "functions": functions.looks,
    "routes and permissions to invoke": api.looks,
    "domains": domain.looks,
    "roles and policies": roles.looks,
    "queues": queues.looks,
    "table": table.looks,
    "schedules and event sources": triggers.looks,
    "log groups": logs.looks,
}
PROBES = "probes"
AT_ONCE = 16


@dataclass(frozen=True)
class Report:
    """What was found of one sort of parts."""

    sort: str
    results: Sequence[Result]

    @property
    def findings(self) -> list[Finding]:
        return folded(result for result in self.results if isinstance(result, Finding))

    @property
    def remarks(self) -> list[str]:
        """What to know of what is fine, each once."""
        return list(dict.fromkeys(result.remark for result in self.results if isinstance(result, Fine) and result.remark))

    @property
    def fine(self) -> int:
        return sum(not isinstance(result, Finding) for result in self.results)

    @property
    def json(self) -> dict[str, Any]:
        return {"sort": self.sort, "fine": self.fine, "remarks": self.remarks, "findings": [
            {"resource": each.resource, "wrong": each.wrong, "remedy": each.remedy, "places": list(each.places)}
            for each in self.findings]}

    def lines(self) -> Iterator[str]:
        if self.fine:
            yield f"ok    {self.fine} {self.sort}"
        for remark in self.remarks:
            yield f"      {remark}"
        for finding in self.findings:
            yield f"BAD   {finding}"


def examine(stack: Stack, given: Sequence[Parameter] = (), file: str = "parameters.yaml") -> list[Report]:
    """Looks at all parts of a stack. `given` are the parameters of the file of that name."""
    inspections: dict[str, Inspection] = {
        **INSPECTIONS, PROBES: functools.partial(probes.looks, given=given, file=file)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        looking = {
            sort: [pool.submit(take, look) for look in all_looks(inspection, stack)]
            for sort, inspection in inspections.items()}
        return [Report(sort, [result for look in taken for result in look.result()]) for sort, taken in looking.items()]


def all_looks(inspection: Inspection, stack: Stack) -> list[Look]:
    """The looks that an inspection asks for; if they can't be told, one look that says so."""
    try:
        return list(inspection(stack))
    except (ClientError, BotoCoreError, NotKnown) as error:
        return [functools.partial(fail, error)]


def fail(error: Exception) -> Iterator[Result]:
    raise error


def take(look: Look) -> list[Result]:
    """Takes a look. What AWS refuses is a finding, too: most of all, that the operator lacks a permission."""
    try:
        return list(look())
    except ClientError as error:
        code = error.response["Error"].get("Code", "an error")
        return [Finding(error.operation_name, f"AWS refused the call ({code})", "allow it to the operator, or try again")]
    except BotoCoreError as error:
        return [Finding("AWS", one_line(error), "try again")]
    except NotKnown as error:
        return [Finding(str(error), "the doctor can't tell what the template says of it", "correct evaluated.py")]


def report(stack: Stack, given: Sequence[Parameter], file: str, is_json: bool = False) -> int:
    """Prints what was found and what to paste into the portals. Returns how many findings there are."""
    begun = time.monotonic()
    reports = examine(stack, given, file)
    bad, took = sum(len(each.findings) for each in reports), round(time.monotonic() - begun, 1)
    if is_json:
        show_json({"stack": stack.name, "version": version(stack), "bad": bad, "seconds": took,
                   "parts": [each.json for each in reports], "portals": list(portals.lines(stack))})
        return bad
    for each in reports:
        for line in each.lines():
            click.echo(line)
    click.echo(f"{stack.name}, version {version(stack)}: {bad or 'nothing'} bad, after {took:.1f} s")
    click.echo("\nTo paste into the providers' portals:")
    for line in portals.lines(stack):
        click.echo(f"  {line}")
    return bad


def version(stack: Stack) -> str:
    return stack.outputs.get("Version", "unknown")


def bridge_if_never_done(stack: Stack) -> None:
    """The local stack has no routes until they are bridged. A single route that is missing was removed by hand."""
    if stack.aws.is_local and not stack.client("apigatewayv2").get_routes(ApiId=stack.physical("Api"))["Items"]:
        bridge_gaps(stack.name, stack.client)


@click.command(short_help="Check a deployed stack; what to enter into portals.")
@options.stack_name
@options.endpoint
@options.parameters_file
@options.as_json
@click.pass_context
def doctor(context: click.Context, stack_name: str, endpoint: Optional[str], path: Path, is_json: bool) -> None:
    """Tell whether a deployed stack works, and what to paste into the providers' portals. Exits with 1 if something is
    bad. Probes carry the credentials of the parameter file if there is one, else those that the functions have."""
    aws = Aws.connect(endpoint)
    aws.caller()
    stack = Stack.require(aws, stack_name)
    bridge_if_never_done(stack)
    given = parameters.read(path) if path.exists() or not options.is_default(context, "path") else []
    if report(stack, given, path.name, is_json):
        context.exit(1)
