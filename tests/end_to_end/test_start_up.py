"""A function that is not configured, or weakly, does not start: it says which variable to mend, never its content."""
from __future__ import annotations

import json
import socket
import subprocess

import pytest

from .deliveries import SECRET
from .functions import bootstrap

PATIENCE_SECONDS = 10
CANARY = "canary-5b1e"

COMPLETE = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
    # What lambda_runtime itself cannot do without.
    "AWS_LAMBDA_FUNCTION_NAME": "verdict-start-up",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_GROUP_NAME": "verdict-start-up",
    "AWS_LAMBDA_LOG_STREAM_NAME": "verdict-start-up",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
    "SESSIONS_TABLE": "sessions",
    "DECISIONS_QUEUE_URL": "http://127.0.0.1:9/decisions.fifo",
    "QUARANTINE_QUEUE_URL": "http://127.0.0.1:9/quarantine",
    "VERIFF_CREDENTIALS": json.dumps({"secrets": [SECRET]}),
    "PAYLOAD_RETENTION_DAYS": "400",
}
ALWAYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "SESSIONS_TABLE")
NEEDED = {
    "VeriffEvents": (*ALWAYS, "DECISIONS_QUEUE_URL", "QUARANTINE_QUEUE_URL", "VERIFF_CREDENTIALS"),
    "VeriffDecisions": (*ALWAYS, "DECISIONS_QUEUE_URL", "QUARANTINE_QUEUE_URL", "VERIFF_CREDENTIALS"),
    "OutboxRelay": (*ALWAYS, "DECISIONS_QUEUE_URL"),
    "SessionsApi": ALWAYS,
}


def assert_does_not_start(executable, environment, variable):
    """Nothing but the variables given: not the tests' own environment."""
    ended = subprocess.run([executable], env=environment, capture_output=True, timeout=PATIENCE_SECONDS)
    said = (ended.stdout + ended.stderr).decode()
    assert ended.returncode not in (0, 101), said  # 101 is a panic
    assert variable in ended.stderr.decode()
    assert CANARY not in said and SECRET not in said


@pytest.mark.parametrize("function", NEEDED)
def test_a_function_that_is_configured_starts_and_asks_for_work(verdict, function):
    with socket.create_server(("127.0.0.1", 0)) as runtime:
        runtime.settimeout(PATIENCE_SECONDS)
        environment = {**COMPLETE, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.getsockname()[1]}"}
        process = subprocess.Popen([bootstrap(verdict, function)], env=environment)
        try:
            connection, _ = runtime.accept()
            with connection:
                assert connection.recv(100).startswith(b"GET /2018-06-01/runtime/invocation/next ")
                assert process.poll() is None
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("value", [None, "", " \t"], ids=["missing", "empty", "blank"])
@pytest.mark.parametrize(
    "function, variable", [(function, variable) for function, needed in NEEDED.items() for variable in needed])
def test_a_function_without_a_variable_does_not_start(verdict, function, variable, value):
    environment = {name: kept for name, kept in COMPLETE.items() if name != variable}
    if value is not None:
        environment[variable] = value
    assert_does_not_start(bootstrap(verdict, function), environment, variable)


WEAK = {
    "no JSON": f"{CANARY}-{SECRET}",
    "half a JSON": json.dumps({"secrets": [f"{CANARY}-{SECRET}"]})[:-1],
    "the secret alone": json.dumps(f"{CANARY}-{SECRET}"),
    "a list": json.dumps([f"{CANARY}-{SECRET}"]),
    "an object without secrets": "{}",
    "secrets null": '{"secrets": null}',
    "no secret": '{"secrets": []}',
    "a secret that is no list": json.dumps({"secrets": f"{CANARY}-{SECRET}"}),
    "a secret that is no text": '{"secrets": [1234567890123456789012345]}',
    "an empty secret": '{"secrets": [""]}',
    "a blank secret": '{"secrets": ["                      "]}',
    "a short secret": json.dumps({"secrets": [CANARY]}),
    "a placeholder": json.dumps({"secrets": ["CHANGE-ME-change-me-CHANGE-ME"]}),
    "asterisks": json.dumps({"secrets": ["*" * 36]}),
    "a secret with a line end": json.dumps({"secrets": [f"{CANARY}-{SECRET}\n"]}),
    "a right secret and an empty one": json.dumps({"secrets": [f"{CANARY}-{SECRET}", ""]}),
    "a right secret and a short one": json.dumps({"secrets": [f"{CANARY}-{SECRET}", "short"]}),
    "a blank API key": json.dumps({"secrets": [f"{CANARY}-{SECRET}"], "apiKeys": [" "]}),
    "a member with a typing error": json.dumps({"secrets": [f"{CANARY}-{SECRET}"], "apiKey": [CANARY]}),
    "another provider's": json.dumps({"basic": [{"username": CANARY, "password": SECRET}]}),
}


@pytest.mark.parametrize("function", ["VeriffEvents", "VeriffDecisions"])
@pytest.mark.parametrize("credentials", WEAK.values(), ids=WEAK)
def test_a_function_with_weak_credentials_does_not_start(verdict, function, credentials):
    environment = {**COMPLETE, "VERIFF_CREDENTIALS": credentials}
    assert_does_not_start(bootstrap(verdict, function), environment, "VERIFF_CREDENTIALS")


@pytest.mark.parametrize("days", ["29", "0", "-400", "400.5", "ever", "99999999999999999999", f"{CANARY}"])
def test_a_function_that_would_keep_payloads_too_briefly_does_not_start(verdict, days):
    environment = {**COMPLETE, "PAYLOAD_RETENTION_DAYS": days}
    assert_does_not_start(bootstrap(verdict, "VeriffEvents"), environment, "PAYLOAD_RETENTION_DAYS")
