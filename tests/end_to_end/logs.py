"""What functions log."""
from __future__ import annotations

import json
import time
from typing import Any

from stack import Stack

from .functions import Function

TALKATIVE = {
    "VERDICT_LOG": "trace", "RUST_LOG": "trace", "AWS_LAMBDA_LOG_LEVEL": "TRACE", "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "RUST_BACKTRACE": "full", "RUST_LIB_BACKTRACE": "1",
    # So that what is too large for a queue gets that far.
    "BODY_LIMIT": str(6 * 1024 * 1024),
}
#: For what happens at once where the machine has nothing else to do.
PATIENCE_SECONDS = 20


def log(stack: Stack, function: Function, message: str, at_least: int = 1) -> list[str]:
    """All that a function has logged, once so many of its lines hold that message."""
    pages = stack.client("logs").get_paginator("filter_log_events")
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            lines = [line["message"] for page in pages.paginate(logGroupName=function.log_group)
                     for line in page["events"]]
        except stack.client("logs").exceptions.ResourceNotFoundException:
            lines = []
        if len(said(lines, message)) >= at_least:
            return lines
        assert time.monotonic() < end, f"not {at_least} times {message!r} in the log:\n" + "\n".join(lines)
        time.sleep(0.1)


def said(lines: list[str], message: str) -> list[dict[str, Any]]:
    """The lines with that message."""
    documents = [json.loads(line) for line in lines if line.startswith("{")]
    return [document for document in documents if document.get("message") == message]


def assert_discreet(lines: list[str], *secrets: str) -> None:
    """None of the secrets is in the log, in whatever case."""
    text = "\n".join(lines).lower()
    # By number: what pytest prints of a failure must not hold it either.
    assert [number for number, secret in enumerate(secrets) if secret.lower() in text] == []
    assert "panicked" not in text
