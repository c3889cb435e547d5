"""Starts and ends MiniStack, the AWS emulator."""
from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .steps import Failure, end_group, tail

HOST = "127.0.0.1"
REGION = "eu-west-1"
ACCESS_KEY = SECRET_KEY = "test"
DEFAULT_PORT = "4566"
START_SECONDS = 60
STOP_SECONDS = 5


class Emulator:
    """A running MiniStack that answers on one port and writes below one directory.

    It holds every caller to the policies of its role, as AWS does. The key `test` is the account's root user. The
    functions have all of its environment, `variables` among it.
    """

    def __init__(self, port: int, directory: Path, **variables: str):
        self.endpoint = endpoint_of(port)
        self.log = directory / "ministack.log"
        self._home = directory / "ministack"
        claim(port)
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).with_name("emulator_process.py"))],
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                cwd=self._home, env=self._environment(port) | variables, start_new_session=True)
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def _environment(self, port: int) -> dict[str, Any]:
        """All that MiniStack sees, and through it the functions: nothing of the user's own environment but the path."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AUTH": "true",
            # Services that would listen on ports of their own.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }

    def _await_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < end:
            if not self.running:
                raise Failure(f"MiniStack ended while it started.\n{tail(self.log)}")
            try:
                opener.open(f"{self.endpoint}/_ministack/ready", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise Failure(f"MiniStack was not ready within {START_SECONDS} s.\n{tail(self.log)}")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends MiniStack with all functions that it runs. Its log stays."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            end_group(self._process)
        shutil.rmtree(self._home, ignore_errors=True)


def port() -> int:
    """The port that the user asks for."""
    text = os.environ.get("PORT") or DEFAULT_PORT
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Failure(f"PORT is {text!r}: give a number from 1 to 65535, as in `make run PORT=4567`")
    return int(text)


def endpoint_of(port: int) -> str:
    """What a stack on that port is reached by."""
    return f"http://{HOST}:{port}"


def claim(port: int) -> None:
    """Makes sure that the port is ours to take."""
    with socket.socket() as probe:
        # As MiniStack binds, too: connections that have ended do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Failure(
                f"port {port} on {HOST} cannot be used ({error.strerror}): end what listens there, "
                "or take another with `make run PORT=…`") from None


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
