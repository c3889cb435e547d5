"""A rotation on the running stack: `rotate` edits the provider's secret, and the functions fetch what became of it. No
genuine webhook is refused, and the removed entry is, within the time that the secret may be old."""
from __future__ import annotations

import contextlib
import io
import json
import time
import uuid
from datetime import datetime, timedelta
from typing import Iterator

import pytest
from stack.deployment import SECRET_TTL_SECONDS
from verdict import command_line
from verdict.rotation import command

from .deliveries import WULTRA, post

#: A function looks for a new version at the next webhook after that, and a look takes some time.
PATIENCE_SECONDS = SECRET_TTL_SECONDS + 5


@pytest.fixture
def secret(verdict) -> Iterator[str]:
    """Wultra's secret, which is as it was in the end, and known to be."""
    [stack] = verdict.client("cloudformation").describe_stacks(StackName="verdict")["Stacks"]
    [arn] = [each["ParameterValue"] for each in stack["Parameters"] if each["ParameterKey"] == "WultraSecretArn"]
    manager = verdict.client("secretsmanager")
    before = manager.get_secret_value(SecretId=arn)["SecretString"]
    yield arn
    manager.put_secret_value(SecretId=arn, SecretString=before)
    until(lambda: outcome(verdict, WULTRA.keys["basic"][0]["password"]) == "recorded", 40)


def until(is_so, seconds: float) -> float:
    """Waits for something, and tells for how long."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() < began + seconds, "not within its time"
        time.sleep(0.25)
    return time.monotonic() - began


def outcome(verdict, password: str) -> str:
    """What becomes of a genuine webhook with that password."""
    keys = {"basic": [{"username": "wultra", "password": password}]}
    return post(verdict, WULTRA.approves(str(uuid.uuid4()), keys=keys)).outcome


@pytest.fixture
def rotate(verdict, monkeypatch, tmp_path):
    """Takes a step of the rotation, some time later by the command's clock."""
    def rotate(step: str, *more: str, later: float = 0) -> list[str]:
        class Later(datetime):
            @classmethod
            def now(cls, zone=None):
                return datetime.now(zone) + timedelta(seconds=later)

        monkeypatch.setattr(command, "datetime", Later)
        with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as error:
            status = command_line.main([
                "rotate", "wultra", step, "--endpoint", verdict.endpoint, "--yes", "--reason", "a test",
                "--audit", str(tmp_path / "audit.jsonl"), *more])
        assert (status, error.getvalue()) == (0, ""), error.getvalue()
        return output.getvalue().splitlines()

    return rotate


def test_a_login_is_rotated_and_no_genuine_webhook_is_refused(verdict, secret, rotate, tmp_path, figures):
    old, file = WULTRA.keys["basic"][0]["password"], tmp_path / "password"
    assert outcome(verdict, old) == "recorded"
    told = rotate("add", "--generate", "--to", str(file))
    new = file.read_text("ascii").strip()
    assert any("Wultra may use the new one from " in line for line in told)
    known = until(lambda: outcome(verdict, new) == "recorded", PATIENCE_SECONDS)
    assert outcome(verdict, old) == "recorded"
    # `add` has said from when on every function knows it.
    rotate("promote", later=SECRET_TTL_SECONDS + 31)
    assert [outcome(verdict, password) for password in (old, new)] == ["recorded", "recorded"]
    rotate("remove")
    refused = until(lambda: outcome(verdict, old) == "refused", PATIENCE_SECONDS)
    assert outcome(verdict, new) == "recorded"
    held = json.loads(verdict.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert held == {"basic": [{"username": "wultra", "password": new}]}
    figures.append(f"rotation, with a secret of {SECRET_TTL_SECONDS} s at most: the new login was taken after "
                   f"{known:.1f} s, the removed one refused after {refused:.1f} s")
