"""A function that is not configured, or weakly, does not start: it says which variable to mend, never its content."""
from __future__ import annotations

import json
import socket
import subprocess
from typing import Any

import pytest
from attacks import on_binaries

from .deliveries import SECRET, SENDERS
from .functions import bootstrap

pytestmark = on_binaries("a secret that is missing, weak or public")

PATIENCE_SECONDS = 10
CANARY = "canary-5b1e"

COMPLETE = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
    # The local stack's secrets start a function only against this machine.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    # What lambda_runtime itself cannot do without.
    "AWS_LAMBDA_FUNCTION_NAME": "verdict-start-up",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_GROUP_NAME": "verdict-start-up",
    "AWS_LAMBDA_LOG_STREAM_NAME": "verdict-start-up",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
    "SESSIONS_TABLE": "sessions",
    "DECISIONS_QUEUE_URL": "http://127.0.0.1:9/decisions.fifo",
    "INTAKE_QUEUE_URL": "http://127.0.0.1:9/intake",
    "QUARANTINE_QUEUE_URL": "http://127.0.0.1:9/quarantine",
    **{f"{sender.provider.upper()}_CREDENTIALS": json.dumps(sender.keys) for sender in SENDERS},
    "PAYLOAD_RETENTION_DAYS": "400",
    "SEQUENCE_BASE": "0",
}
ALWAYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
STORES = ("SESSIONS_TABLE", "DECISIONS_QUEUE_URL")
RECEIVES = (*ALWAYS, *STORES, "INTAKE_QUEUE_URL", "QUARANTINE_QUEUE_URL")
NEEDED = {
    "VeriffEvents": (*RECEIVES, "VERIFF_CREDENTIALS"),
    "VeriffDecisions": (*RECEIVES, "VERIFF_CREDENTIALS"),
    "IncodeWebhooks": (*RECEIVES, "INCODE_CREDENTIALS"),
    "IncodeToken": (*ALWAYS, "INCODE_CREDENTIALS"),
    "IncodePoller": (*ALWAYS, *STORES, "INCODE_CREDENTIALS"),
    "TreezorWebhooks": (*RECEIVES, "TREEZOR_CREDENTIALS"),
    "WultraEvents": (*RECEIVES, "WULTRA_CREDENTIALS"),
    "Replay": RECEIVES,
    "RebuildPreview": (*ALWAYS, "SESSIONS_TABLE"),
    "OutboxRelay": (*ALWAYS, *STORES),
    "SessionsApi": (*ALWAYS, "SESSIONS_TABLE"),
    "SessionPayloads": (*ALWAYS, "SESSIONS_TABLE"),
}


def assert_does_not_start(executable, environment, variable):
    """Nothing but the variables given: not the tests' own environment."""
    ended = subprocess.run([executable], env=environment, capture_output=True, timeout=PATIENCE_SECONDS)
    said = (ended.stdout + ended.stderr).decode()
    assert ended.returncode not in (0, 101), said  # 101 is a panic
    assert variable in ended.stderr.decode()
    assert CANARY not in said and SECRET not in said


def assert_starts(verdict, function, environment):
    """It asks for work."""
    with socket.create_server(("127.0.0.1", 0)) as runtime:
        runtime.settimeout(PATIENCE_SECONDS)
        environment = {**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.getsockname()[1]}"}
        process = subprocess.Popen([bootstrap(verdict, function)], env=environment)
        try:
            connection, _ = runtime.accept()
            with connection:
                assert connection.recv(100).startswith(b"GET /2018-06-01/runtime/invocation/next ")
                assert process.poll() is None
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("function", NEEDED)
def test_a_function_that_is_configured_starts_and_asks_for_work(verdict, function):
    assert_starts(verdict, function, COMPLETE)


@pytest.mark.parametrize("function", NEEDED)
def test_a_function_needs_no_more_than_its_own_variables(verdict, function):
    others = {variable for needed in NEEDED.values() for variable in needed} - set(NEEDED[function])
    assert_starts(verdict, function, {name: value for name, value in COMPLETE.items() if name not in others})


@pytest.mark.parametrize("endpoint", [None, "https://dynamodb.eu-west-1.amazonaws.com", "http://127.0.0.1.example.com"])
@pytest.mark.parametrize("function", [
    function for function, needed in NEEDED.items() if any(name.endswith("_CREDENTIALS") for name in needed)])
def test_the_local_stack_s_secrets_start_nothing_elsewhere(verdict, function, endpoint):
    [variable] = [name for name in NEEDED[function] if name.endswith("_CREDENTIALS")]
    environment = {name: value for name, value in COMPLETE.items() if name != "AWS_ENDPOINT_URL"}
    if endpoint:
        environment["AWS_ENDPOINT_URL"] = endpoint
    assert_does_not_start(bootstrap(verdict, function), environment, variable)


@pytest.mark.parametrize("value", [None, "", " \t"], ids=["missing", "empty", "blank"])
@pytest.mark.parametrize(
    "function, variable", [(function, variable) for function, needed in NEEDED.items() for variable in needed])
def test_a_function_without_a_variable_does_not_start(verdict, function, variable, value):
    environment = {name: kept for name, kept in COMPLETE.items() if name != variable}
    if value is not None:
        environment[variable] = value
    assert_does_not_start(bootstrap(verdict, function), environment, variable)


#: What is too weak for a secret, whatever it is for.
WEAK_SECRETS = {
    "an empty secret": "",
    "a blank secret": " " * 22,
    "a short secret": CANARY,
    "a placeholder": "CHANGE-ME-change-me-CHANGE-ME",
    "asterisks": "*" * 36,
    "a template": "{{resolve:secretsmanager:verdict}}-and-more-than-32-characters",
    "a secret with a line end": f"{CANARY}-{SECRET}\n",
    "a secret that is no text": 1234567890123456789012345678901234567890,
    "a secret of null": None,
}
STRONG = f"{CANARY}-{SECRET}"
LOGIN = {"id": "client", "secret": STRONG}
OAUTH = {"oauth": {"clients": [LOGIN], "signingKeys": [STRONG]}}

#: By provider: the places in its credentials where a secret stands.
PLACES: dict[str, Any] = {
    "VERIFF": {
        "alone": lambda secret: {"secrets": [secret]},
        "beside a right one": lambda secret: {"secrets": [STRONG, secret]},
    },
    "INCODE": {
        "header": lambda secret: {"headers": {"x-incode-secret": [secret]}},
        "header in rotation": lambda secret: {"headers": {"x-incode-secret": [STRONG, secret]}, **OAUTH},
        "client": lambda secret: {"oauth": {"clients": [{"id": "client", "secret": secret}], "signingKeys": [STRONG]}},
        "signing key": lambda secret: {"oauth": {"clients": [LOGIN], "signingKeys": [STRONG, secret]}},
    },
    "TREEZOR": {
        "alone": lambda secret: {"secrets": [secret]},
        "beside a right one": lambda secret: {"secrets": [STRONG, secret]},
        "URL token": lambda secret: {"secrets": [STRONG], "urlTokens": [secret]},
        "URL token in rotation": lambda secret: {"secrets": [STRONG], "urlTokens": [STRONG, secret]},
    },
    "WULTRA": {
        "password": lambda secret: {"basic": [{"username": "wultra", "password": secret}]},
        "password in rotation": lambda secret: {"basic": [
            {"username": "wultra", "password": STRONG}, {"username": "wultra", "password": secret}]},
        "header": lambda secret: {"headers": {"x-key": [secret]}},
        "header beside a right login": lambda secret: {
            "basic": [{"username": "wultra", "password": STRONG}], "headers": {"x-key": [STRONG], "x-other": [secret]}},
    },
}
#: By provider: credentials of another form than they should have.
MALFORMED = {
    "VERIFF": {
        "no secrets": {}, "secrets null": {"secrets": None}, "no secret": {"secrets": []},
        "a secret that is no list": {"secrets": STRONG},
        "a blank API key": {"secrets": [STRONG], "apiKeys": [" "]},
        "a member with a typing error": {"secrets": [STRONG], "apiKey": [CANARY]},
        "another provider's": {"basic": [{"username": CANARY, "password": STRONG}]},
    },
    "INCODE": {
        "neither headers nor oauth": {}, "headers null": {"headers": None}, "no header": {"headers": {}},
        "no value": {"headers": {"x-incode-secret": []}},
        "null beside a proof": {"headers": {"x-incode-secret": [STRONG]}, "oauth": None},
        "a value that is no list": {"headers": {"x-incode-secret": STRONG}},
        "a header that is none": {"headers": {"x secret": [STRONG]}},
        "a header in two spellings": {"headers": {"x-a": [STRONG], "X-A": [STRONG]}},
        "no client": {"oauth": {"clients": [], "signingKeys": [STRONG]}},
        "a client without a name": {"oauth": {"clients": [{"id": " ", "secret": STRONG}], "signingKeys": [STRONG]}},
        "no signing key": {"oauth": {"clients": [LOGIN], "signingKeys": []}},
        "signing keys left out": {"oauth": {"clients": [LOGIN]}},
        "tokens for no time": {"oauth": {**OAUTH["oauth"], "tokenTtlSeconds": 0}},
        "tokens for ever": {"oauth": {**OAUTH["oauth"], "tokenTtlSeconds": 86401}},
        "a member with a typing error": {**OAUTH, "header": {"x-incode-secret": [STRONG]}},
        "API access alone": {"api": {
            "baseUrl": "https://example.com", "apiKey": STRONG, "email": "e@example.com", "password": STRONG}},
        "API access in the clear": {**OAUTH, "api": {
            "baseUrl": "http://example.com", "apiKey": STRONG, "email": "e@example.com", "password": STRONG}},
        "half of the API access": {**OAUTH, "api": {"baseUrl": "https://example.com"}},
        "another provider's": {"secrets": [STRONG]},
    },
    "TREEZOR": {
        "no secrets": {}, "secrets null": {"secrets": None}, "no secret": {"secrets": []},
        "URL tokens alone": {"urlTokens": [STRONG]},
        "no URL token": {"secrets": [STRONG], "urlTokens": []},
        "URL tokens null": {"secrets": [STRONG], "urlTokens": None},
        "a URL token of 31 characters": {"secrets": [STRONG], "urlTokens": [STRONG[:31]]},
        "a member with a typing error": {"secrets": [STRONG], "urlToken": [STRONG]},
        "another provider's": {"basic": [{"username": CANARY, "password": STRONG}]},
    },
    "WULTRA": {
        "neither basic nor headers": {}, "basic null": {"basic": None}, "no login": {"basic": []},
        "no header": {"headers": {}},
        "null beside a proof": {"basic": [{"username": "wultra", "password": STRONG}], "headers": None},
        "a user name with a colon": {"basic": [{"username": f"{CANARY}:x", "password": STRONG}]},
        "a user without a name": {"basic": [{"username": "", "password": STRONG}]},
        "a login without a password": {"basic": [{"username": CANARY}]},
        "a member with a typing error": {"basic": [{"username": "w", "password": STRONG, "pasword": CANARY}]},
        "another provider's": {"secrets": [STRONG]},
    },
}


def weak(provider: str) -> dict[str, str]:
    """Credentials with which nobody should start, by what is wrong with them."""
    texts = {
        "no JSON": STRONG, "half a JSON": json.dumps({"secrets": [STRONG]})[:-1],
        "the secret alone": json.dumps(STRONG), "a list": json.dumps([STRONG]), "null": "null",
        "two documents": json.dumps({"secrets": [STRONG]}) * 2}
    for what, secret in WEAK_SECRETS.items():
        for place, credentials in PLACES[provider].items():
            texts[f"{what}, {place}"] = json.dumps(credentials(secret))
    return texts | {what: json.dumps(credentials) for what, credentials in MALFORMED[provider].items()}


CASES = [
    pytest.param(function, variable, credentials, id=f"{function} {what}")
    for function, needed in NEEDED.items() for variable in needed if variable.endswith("_CREDENTIALS")
    for what, credentials in weak(variable.split("_")[0]).items()]


@pytest.mark.parametrize("function, variable, credentials", CASES)
def test_a_function_with_weak_credentials_does_not_start(verdict, function, variable, credentials):
    assert_does_not_start(bootstrap(verdict, function), {**COMPLETE, variable: credentials}, variable)


@pytest.mark.parametrize("provider", PLACES)
def test_what_is_weak_above_is_only_the_secret(verdict, provider):
    for credentials in PLACES[provider].values():
        [function, *_] = [function for function, needed in NEEDED.items() if f"{provider}_CREDENTIALS" in needed]
        assert_starts(verdict, function, {**COMPLETE, f"{provider}_CREDENTIALS": json.dumps(credentials(STRONG + "x"))})


def test_the_token_endpoint_does_not_start_without_anybody_to_give_tokens_to(verdict):
    headers_alone = json.dumps({"headers": {"x-incode-secret": [STRONG]}})
    environment = {**COMPLETE, "INCODE_CREDENTIALS": headers_alone}
    assert_does_not_start(bootstrap(verdict, "IncodeToken"), environment, "INCODE_CREDENTIALS")
    assert_starts(verdict, "IncodeWebhooks", environment)


def test_the_poller_starts_without_credentials_only_if_there_is_no_api_to_ask(verdict):
    environment = {name: value for name, value in COMPLETE.items() if name != "INCODE_CREDENTIALS"}
    assert_starts(verdict, "IncodePoller", {**environment, "INCODE_API": "false"})
    for told in ({}, {"INCODE_API": "true"}):
        assert_does_not_start(
            bootstrap(verdict, "IncodePoller"), {**environment, **told}, "INCODE_API_CREDENTIALS_ARN")


@pytest.mark.parametrize("function", [
    "VeriffEvents", "IncodeWebhooks", "IncodePoller", "TreezorWebhooks", "WultraEvents", "Replay"])
@pytest.mark.parametrize("days", ["29", "0", "-400", "400.5", "ever", "99999999999999999999", f"{CANARY}"])
def test_a_function_that_would_keep_payloads_too_briefly_does_not_start(verdict, function, days):
    environment = {**COMPLETE, "PAYLOAD_RETENTION_DAYS": days}
    assert_does_not_start(bootstrap(verdict, function), environment, "PAYLOAD_RETENTION_DAYS")


@pytest.mark.parametrize("function", [
    "VeriffEvents", "IncodeWebhooks", "IncodePoller", "TreezorWebhooks", "WultraEvents", "Replay"])
@pytest.mark.parametrize("base", ["-1", "1.5", "1e3", "1000000000001", "99999999999999999999", "ever", f"{CANARY}"])
def test_a_function_that_would_count_from_no_number_does_not_start(verdict, function, base):
    assert_does_not_start(bootstrap(verdict, function), {**COMPLETE, "SEQUENCE_BASE": base}, "SEQUENCE_BASE")


@pytest.mark.parametrize("function", ["VeriffDecisions", "IncodeWebhooks", "TreezorWebhooks", "WultraEvents"])
@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "1 MiB", "6291457", "99999999999999999999", f"{CANARY}"])
def test_a_function_whose_bodies_have_no_such_limit_does_not_start(verdict, function, limit):
    assert_does_not_start(bootstrap(verdict, function), {**COMPLETE, "BODY_LIMIT": limit}, "BODY_LIMIT")
