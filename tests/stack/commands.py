"""The commands for a first look around that `make run` prints, filled in and ready to paste."""
from __future__ import annotations

import json
import shlex
import urllib.parse
import uuid

from .deployment import Stack
from .emulator import ACCESS_KEY, REGION, SECRET_KEY

SAMPLE = "veriff/decision-approved"


def first_look(stack: Stack) -> str:
    """Sends a webhook and follows it: to its record, to its message, and to the log."""
    session_id = str(uuid.uuid4())
    commands = {
        "Send a webhook:": send(stack, session_id),
        "Read its record:": signed_get("execute-api", f"{stack.api_url}/sessions/veriff/{session_id}"),
        "Read the messages about decisions, which stay on the queue (ten times; then they are dead letters):":
            receive(stack),
        "See why the last webhook was refused:": refused(stack),
    }
    return "\n".join(f"{what}\n  {command}\n" for what, command in commands.items())


def send(stack: Stack, session_id: str) -> str:
    return (f"python3 events/webhooks.py send {SAMPLE} --to {stack.api_url} --session {session_id}"
            " --reference customer-1")


def receive(stack: Stack) -> str:
    """SQS's ReceiveMessage without taking anything off the queue."""
    request = {
        "QueueUrl": stack.outputs["DecisionsQueueUrl"], "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
    return " ".join([
        signed_get("sqs", stack.endpoint), "-H 'X-Amz-Target: AmazonSQS.ReceiveMessage'",
        "-H 'Content-Type: application/x-amz-json-1.0'", "-d", shlex.quote(json.dumps(request))])


def refused(stack: Stack) -> str:
    port = urllib.parse.urlsplit(stack.endpoint).port
    return f"env PORT={port} PYTHONPATH=tests .venv/stack/bin/python -m stack.refused"


def signed_get(service: str, url: str) -> str:
    """A request signed with SigV4 by curl, which can from version 7.75 on."""
    return f"curl -sS --aws-sigv4 aws:amz:{REGION}:{service} --user {ACCESS_KEY}:{SECRET_KEY} {url}"
