"""The sources of providers' credentials: parameters, secrets in Secrets Manager, and what a deployed stack keeps of both."""
from __future__ import annotations

from typing import Mapping, Optional, Sequence

import click
from botocore.exceptions import ClientError

from . import secret
from .aws import Aws
from .check import (
    API_SECRET_ARN, CREDENTIALS, INCODE_SECRET_ARN, SECRET_ARN, Secrets, is_credentials, is_secret_arn, provider_of)
from .doctor.probes import credentials_of, holders
from .parameters import Parameter
from .stack import Stack


def stack_credentials(stack: Optional[Stack]) -> list[str]:
    """The parameters by which the stack has credentials. CloudFormation hides the values of some, but not their
    functions."""
    if stack is None:
        return []
    arns = {name for name, value in stack.parameters.items() if is_secret_arn(name) and value}
    return [name for name in stack.parameters if name in arns or (
        is_credentials(name) and secret_arn_of(name) not in arns
        and stack.template.holds(f"Uses{name.removesuffix(CREDENTIALS)}"))]


# ---- Either of the two ----

def in_whose_place(given: Sequence[Parameter], deployed: Sequence[str]) -> list[Parameter]:
    """The parameters that the stack has and that the file gives another one in place of, as empty ones. CloudFormation
    would keep both, and a provider has credentials or a secret."""
    said = {each.name: each.value for each in given}
    emptied = {other: name for name, value in said.items() if value for other in others(name)
               if other in deployed and other not in said}
    for other, name in emptied.items():
        click.echo(f"{name} takes the place of {other}, which the stack has: {other} is set to ''")
    return [Parameter(other, 0, "") for other in emptied]


def others(name: str) -> list[str]:
    """The parameters that one takes the place of."""
    if is_credentials(name):
        arn = secret_arn_of(name)
        return [arn, API_SECRET_ARN] if arn == INCODE_SECRET_ARN else [arn]
    return [name.removesuffix(SECRET_ARN) + CREDENTIALS] if is_secret_arn(name) else []


def secret_arn_of(name: str) -> str:
    """The parameter of the secret that can take the place of a provider's credentials."""
    return name.removesuffix(CREDENTIALS) + SECRET_ARN


# ---- What is kept ----

def kept_credentials(stack: Optional[Stack], given: Sequence[Parameter]) -> dict[str, str]:
    """The credentials by provider that a deployed stack keeps, since the file doesn't have them. Its functions know them,
    if not those that are live; the functions that are about to be deployed may not start with them."""
    if stack is None:
        return {}
    said = {provider_of(each.name) for each in given if is_credentials(each.name)}
    try:
        return {provider: credentials_of(stack, provider, stack.physical(function))
                for provider, function in holders(stack).items() if provider not in said}
    except ClientError as error:
        click.echo(f"The credentials that the stack keeps aren't checked: {error.response['Error'].get('Code')}")
        return {}


# ---- Secrets ----

def secret_arns(stack: Optional[Stack], given: Sequence[Parameter]) -> dict[str, str]:
    """The ARNs of the secrets that the stack is about to use, by parameter: the file's, else those that it keeps."""
    kept = {name: value for name, value in (stack.parameters if stack else {}).items() if is_secret_arn(name)}
    said = {each.name: each.value for each in given if is_secret_arn(each.name)}
    return {name: arn for name, arn in {**kept, **said}.items() if secret.ARN.fullmatch(arn)}


def look_at_secrets(aws: Aws, arns: Mapping[str, str], caller: str) -> Secrets:
    """What the secrets hold. Says what can't be checked, and what to know of them besides."""
    texts, wrong = {}, {}
    for name, arn in arns.items():
        if secret.region_of(arn) != aws.region:
            click.echo(f"{name}: the secret is in {secret.region_of(arn)}, so that functions in {aws.region} depend on both "
                       "regions: replicate it, and give the replica's ARN")
        if secret.account_of(arn) != account_of(caller):
            click.echo(f"{name}: the secret is another account's: its resource policy, and that of its key, have to let the "
                       "functions' roles read it")
        try:
            texts[name] = secret.read(aws, arn).text
        except secret.Unreadable as problem:
            if not problem.is_forbidden:
                wrong[name] = str(problem)
                continue
            click.echo(f"{name}: the secret {problem}, so that what it holds isn't checked")
    if INCODE_SECRET_ARN in arns and API_SECRET_ARN not in arns:
        click.echo(f"{INCODE_SECRET_ARN} without {API_SECRET_ARN}: Incode isn't asked, so that its webhooks decide by "
                   "themselves (docs/providers/incode.md, \"Who decides\")")
    return Secrets(texts, wrong)


def account_of(caller: str) -> str:
    """The account in the ARN of a caller."""
    return caller.split(":")[4]
