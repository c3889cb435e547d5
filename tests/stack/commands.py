"""The commands for a first look around that `make run` prints, filled in and ready to paste."""
from __future__ import annotations

import urllib.parse
import uuid

from .deployment import Stack
from .emulator import ACCESS_KEY, DEFAULT_PORT, REGION, SECRET_KEY

SAMPLE = "veriff/decision-approved"


def first_look(stack: Stack) -> str:
    """Sends a webhook and follows it: to its record, to its message, and to the log."""
    session_id = str(uuid.uuid4())
    session = f"veriff/{session_id}"
    commands = {
        "Send a webhook:": verdict(stack, f"send {SAMPLE} --session {session_id} --reference customer-1"),
        "See its record:": verdict(stack, f"sessions show {session}"),
        "The same by curl, signed with SigV4, as your service reads it:": signed_get(f"{stack.api_url}/sessions/{session}"),
        "See the message that your service gets, which stays on the queue:": verdict(stack, f"notifications list {session}"),
        "See what comes in, and why a webhook was refused, until Ctrl-C:": verdict(stack, "sessions tail"),
    }
    return "\n".join(f"{what}\n  {command}\n" for what, command in commands.items())


def verdict(stack: Stack, command: str) -> str:
    """A command of the operator's command line, on this stack."""
    port = str(urllib.parse.urlsplit(stack.endpoint).port)
    where = "" if port == DEFAULT_PORT else f"PORT={port} "
    return f"{where}./verdict {command} --local"


def signed_get(url: str) -> str:
    """A request to the sessions API, signed by curl, which can from version 7.75 on."""
    return f"curl -sS --aws-sigv4 aws:amz:{REGION}:execute-api --user {ACCESS_KEY}:{SECRET_KEY} {url}"
