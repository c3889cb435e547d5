"""Sends sample webhooks to a stack. `events/webhooks.py` holds how; here its URL is the stack's own."""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, TypeVar

import click

from . import options
from .aws import Aws
from .places import EVENTS
from .interruption import Interrupted
from .problem import Problem
from .stack import Stack

sys.path.append(str(EVENTS))
import proofs
import webhooks

Command = TypeVar("Command", bound=Callable[..., Any])

#: In place of a sample's name.
LIST = "list"


def member(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """The paths and values that `--set` gives."""
    try:
        return [webhooks.member(text) for text in texts]
    except argparse.ArgumentTypeError as error:
        raise click.BadParameter(str(error)) from None


#: What a sample is made of anew.
OPTIONS = (
    click.option("--outcome", type=click.Choice(webhooks.OUTCOMES), help="What the webhook is to say, in Verdict's words."),
    click.option("--reason", metavar="CODE",
                 help="The provider's code of the reason, such as 102. Other commands' --reason is why you do it."),
    click.option("--set", "members", multiple=True, metavar="PATH=VALUE", callback=member,
                 help="Another value, JSON or a text, for a member, such as verification.person.firstName=Ada; repeatable."),
    click.option("--session", envvar="SESSION", metavar="ID", help="The session's id; `new` makes a random one."),
    click.option("--attempt", metavar="ID", help="The attempt's id."),
    click.option("--reference", metavar="REF", help="Your own reference."),
    click.option("--credentials", metavar="FILE", type=click.Path(path_type=Path),
                 help="As events/local-credentials.json; without, the variable {PROVIDER}_CREDENTIALS, else that file."))


def with_sample(command: Command) -> Command:
    """The options of a command that takes a sample."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def event_of(name: str, wished: Mapping[str, Any]) -> dict[str, Any]:
    """The API Gateway event of a sample, as those options ask for it."""
    return webhooks.made(argparse.Namespace(sample=name, **wished))


def show(provider: Optional[str], is_json: bool) -> None:
    """Names and describes the samples and scenarios."""
    if not is_json:
        webhooks.run_list(argparse.Namespace(provider=provider))
        return
    kinds: dict[str, list[Any]] = {"samples": webhooks.catalogue(), "scenarios": webhooks.scenarios()}
    click.echo(json.dumps({kind: [
        {"name": each.name, "provider": each.provider, "description": each.description}
        for each in all_of_them if provider in (None, each.provider)] for kind, all_of_them in kinds.items()}))


def api_url(endpoint: Optional[str], stack_name: str) -> str:
    aws = Aws.connect(endpoint)
    aws.caller()
    return Stack.require(aws, stack_name).api_url


def refuse_mixed(name: Optional[str], scenario: Optional[str], provider: Optional[str], is_json: bool) -> None:
    """Ends the command if it isn't clear what to send."""
    if bool(name) == bool(scenario):
        raise Problem("name a sample, or a --scenario; `./verdict send list` names them all")
    if name != LIST and (provider or is_json):
        raise Problem(f"{'--json' if is_json else provider} goes with `send list` alone")


@click.command("send", short_help="Send sample webhooks; `send list` names them.")
@click.argument("name", metavar="[SAMPLE | list]", required=False)
@click.argument("provider", metavar="[PROVIDER]", required=False, type=click.Choice(proofs.PROVIDERS))
@options.stack_name
@options.endpoint
@click.option("--scenario", metavar="NAME", help="Play a whole session in order, such as veriff/resubmission.")
@with_sample
@click.option("--times", default=1, show_default=True, metavar="N", type=click.IntRange(min=1),
              help="Send the same webhook N times.")
@click.option("--concurrency", default=1, show_default=True, metavar="M", type=click.IntRange(min=1),
              help="That many at once.")
@click.option("--json", "is_json", is_flag=True, help="With `list`: one JSON object.")
@click.pass_context
def send(context: click.Context, /, name: Optional[str], provider: Optional[str], stack_name: str, endpoint: Optional[str],
         is_json: bool, **wished: Any) -> None:
    """Send a sample webhook, proved anew, to a stack, or a whole session of them; `list` names all, or a PROVIDER's. What
    is sent counts: it is recorded, and consumers are told. Exits with 1 if the status isn't the expected one."""
    refuse_mixed(name, wished["scenario"], provider, is_json)
    if name == LIST:
        show(provider, is_json)
        return
    try:
        # A name that is wrong is told before a stack is looked for.
        webhooks.find_scenario(wished["scenario"]) if wished["scenario"] else webhooks.find(name or "")
        context.exit(webhooks.run_send(argparse.Namespace(sample=name, to=api_url(endpoint, stack_name), **wished)))
    except webhooks.Problem as problem:
        raise Problem(str(problem)) from None
    except webhooks.Interrupted as end:
        raise Interrupted(str(end)) from None
