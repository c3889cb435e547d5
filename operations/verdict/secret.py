"""Providers' credentials in Secrets Manager: reads a secret by its ARN, if the caller may."""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from .aws import Aws
from .problem import Problem

#: The labels of the version that the functions use, and of the one before it.
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
#: Secrets Manager's codes of a secret that isn't there, or not for long.
NOT_THERE = {
    "ResourceNotFoundException": "isn't there",
    "InvalidRequestException": "can't be used; mostly, it is marked for deletion",
}
ARN = re.compile(r"arn:[a-z-]+:secretsmanager:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):secret:.+")


class Unreadable(Problem):
    """A secret that can't be read. If `is_forbidden`, it may be right all the same: only this caller can't tell."""

    def __init__(self, message: str, *, is_forbidden: bool = False):
        super().__init__(message)
        self.is_forbidden = is_forbidden


@dataclass(frozen=True)
class Secret:
    """A version of a secret."""

    arn: str
    version: str
    created: datetime
    text: str = field(repr=False)


def read(aws: Aws, arn: str, stage: str = CURRENT) -> Secret:
    """The version of a secret that has a label. Raises `Unreadable`, whose message goes on from the secret's name."""
    try:
        found = manager(aws, arn).get_secret_value(SecretId=arn, VersionStage=stage)
    except ClientError as error:
        raise unreadable(error) from None
    # Secrets Manager also takes the beginning of an ARN, and IAM doesn't.
    if found["ARN"] != arn:
        raise Unreadable(f"has another ARN: give the whole one, {found['ARN']}")
    return version_of(found)


def manager(aws: Aws, arn: str) -> Any:
    """A client of Secrets Manager in the secret's own region, which the functions ask, too."""
    return replace(aws, region=region_of(arn)).client("secretsmanager")


def version_of(found: dict[str, Any]) -> Secret:
    if "SecretString" not in found:
        raise Unreadable("holds no text: put the credentials' JSON there as SecretString")
    return Secret(found["ARN"], found["VersionId"], found["CreatedDate"], found["SecretString"])


def unreadable(error: ClientError) -> Unreadable:
    code = error.response["Error"].get("Code", "an error")
    if code in NOT_THERE:
        return Unreadable(NOT_THERE[code])
    return Unreadable(f"can't be read by you ({code})", is_forbidden=True)


def region_of(arn: str) -> str:
    return part(arn, "region")


def account_of(arn: str) -> str:
    return part(arn, "account")


def part(arn: str, name: str) -> str:
    found = ARN.fullmatch(arn)
    return found[name] if found else ""
