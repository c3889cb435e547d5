"""What the page is told of an error: one plain line, and never what was in the request, in a payload or in a traceback."""
from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError, PartialCredentialsError, SSOTokenLoadError,
    TokenRetrievalError, UnauthorizedSSOTokenError,
)
from werkzeug.exceptions import HTTPException

from ..problem import Problem, one_line
from .routes import Refusal

#: Credentials that are gone, or that AWS takes no more.
WITHOUT_CREDENTIALS = (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError, SSOTokenLoadError,
                       TokenRetrievalError, UnauthorizedSSOTokenError)
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
SIGN_IN = "sign in again (`aws sso login`), and start the console anew if that doesn't help"


def told(error: Exception) -> Refusal:
    """The answer to a request that ended in an error."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Problem):
        return Refusal(409, "problem", one_line(error))
    if isinstance(error, ClientError):
        return refused(error.operation_name, error.response["Error"].get("Code", "an error"))
    if isinstance(error, WITHOUT_CREDENTIALS):
        return Refusal(502, "no_credentials", f"there are no AWS credentials any more: {SIGN_IN}")
    if isinstance(error, BotoCoreError):
        return Refusal(502, "aws_unreachable", f"AWS doesn't answer ({type(error).__name__}): see whether this machine is "
                       "online or, if it is the local stack, whether `make run` is up")
    if isinstance(error, HTTPException):
        return Refusal(400, "bad_request", "the request can't be read")
    return Refusal(500, "failed", "the console has failed at this: it is a bug in Verdict")


def refused(call: str, code: str) -> Refusal:
    """What AWS refused. Its own message may name what was asked for."""
    if code in EXPIRED:
        return Refusal(502, "no_credentials", f"AWS takes the credentials no more ({code}): {SIGN_IN}")
    return Refusal(502, "aws_refused", f"AWS refused {call} ({code}): docs/console.md has the permissions")
