"""What ends a command before its time, and how an operator is told."""
from __future__ import annotations

import urllib.parse
from typing import Optional, TypeGuard

import click
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError


NO_CREDENTIALS = "there are no AWS credentials: set AWS_PROFILE, or sign in (`aws sso login`)"


LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Problem(Exception):
    """Something that the operator can put right; the message is one line that says how, and holds no secret."""


class NotThere(Problem):
    """What was asked about isn't there: a finding, told like a problem."""


def told(error: Exception) -> Optional[str]:
    """What an operator is told of an error; None if it is a bug of Verdict's."""
    if isinstance(error, Problem):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, NoCredentialsError):
        return NO_CREDENTIALS
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error.response['Error'].get('Message') or one_line(error)}"
    if is_local_stack_down(error):
        port = urllib.parse.urlsplit(error.kwargs["endpoint_url"]).port
        return f"no local stack answers on port {port}: start it with `make run`, or say which port with PORT="
    if isinstance(error, BotoCoreError):
        return one_line(error)
    return None


def is_local_stack_down(error: Exception) -> TypeGuard[EndpointConnectionError]:
    """Whether nothing listens at an endpoint on this machine."""
    return isinstance(error, EndpointConnectionError) and urllib.parse.urlsplit(
        error.kwargs["endpoint_url"]).hostname in LOOPBACK


def one_line(error: Exception) -> str:
    """An error's message without its line ends."""
    return " ".join(str(error).split())
