"""The account, or the emulator, that a command works on."""
from __future__ import annotations

import functools
import os
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from .problem import LOOPBACK, NO_CREDENTIALS, Problem, is_local_stack_down, one_line

LOCAL_REGION = "eu-west-1"
#: The emulator's administrator.
LOCAL_KEY = "test"
#: Longer than any of the functions may take for an answer.
ANSWER_SECONDS = 60
#: As many calls of one service as are made at once.
CONNECTIONS = 32
#: To make clients is slow, and not for several threads at once; to use them is.
MAKING = threading.Lock()


@dataclass(frozen=True)
class Keys:
    """An access key, with the token of a temporary one."""

    access_key: str
    secret_key: str = field(repr=False)
    token: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class Aws:
    """Makes boto3's clients, for one endpoint, region and caller."""

    region: str
    #: In place of AWS's own endpoints.
    endpoint: Optional[str] = None
    #: Without, boto3 finds the caller's credentials as it always does.
    keys: Optional[Keys] = None

    @classmethod
    def connect(cls, endpoint: Optional[str] = None, variables: Mapping[str, str] = os.environ) -> Aws:
        """What the operator's settings say. A local endpoint needs none of them, and gets none to see."""
        if is_loopback(endpoint):
            return cls(LOCAL_REGION, endpoint, Keys(LOCAL_KEY, LOCAL_KEY))
        # boto3 by itself does not know AWS_REGION, which everything else in AWS reads.
        region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or profile_region()
        if not region:
            raise Problem("there is no AWS region: set AWS_REGION, or give your AWS profile a region")
        return cls(region, endpoint or None)

    @property
    def is_local(self) -> bool:
        """Whether it is an emulator on this machine."""
        return is_loopback(self.endpoint)

    def client(self, service: str) -> Any:
        """A client of that service; the same one each time, which several threads may use."""
        with MAKING:
            return client(self, service)

    def caller(self) -> str:
        """The ARN of whoever the credentials belong to."""
        try:
            return self.client("sts").get_caller_identity()["Arn"]
        except NoCredentialsError:
            raise Problem(NO_CREDENTIALS) from None
        except ClientError as error:
            code = error.response["Error"].get("Code", "an error")
            raise Problem(f"AWS does not accept the credentials ({code}): sign in again (`aws sso login`), "
                          "or set AWS_PROFILE to another profile") from None
        except BotoCoreError as error:
            if is_local_stack_down(error):
                raise
            raise Problem(f"AWS can't be asked whose credentials these are: {one_line(error)}") from None

    def own_keys(self) -> Keys:
        """The caller's keys, for a program that acts as the caller."""
        if self.keys:
            return self.keys
        found = session(self).get_credentials()
        if found is None:
            raise NoCredentialsError()
        frozen = found.get_frozen_credentials()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    def acting_as(self, role: str, name: str = "operator") -> Aws:
        """The same account, as a caller who has taken that role."""
        taken = self.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        keys = Keys(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
        return Aws(self.region, self.endpoint, keys)

    def environment(self, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment of a program that is to work on the same account."""
        if not self.is_local:
            own = {"AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
            return {**variables, **own, **({"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {})}
        kept = {name: value for name, value in variables.items() if not name.startswith("AWS_")}
        direct = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), *LOOPBACK]))
        return {
            **kept,
            "NO_PROXY": direct,
            "no_proxy": direct,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint or "",
            "AWS_ACCESS_KEY_ID": LOCAL_KEY,
            "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
        }


@functools.lru_cache(maxsize=None)
def client(aws: Aws, service: str) -> Any:
    """A client of that service."""
    keys = {} if aws.keys is None else {
        "aws_access_key_id": aws.keys.access_key, "aws_secret_access_key": aws.keys.secret_key,
        "aws_session_token": aws.keys.token}
    # A local endpoint is never behind a proxy, and is there or isn't.
    proxies, attempts = ({"http": None, "https": None}, 2) if aws.is_local else (None, 5)
    config = Config(read_timeout=ANSWER_SECONDS, retries={"mode": "standard", "max_attempts": attempts}, proxies=proxies,
                    max_pool_connections=CONNECTIONS)
    return session(aws).client(service, region_name=aws.region, endpoint_url=aws.endpoint, config=config, **keys)


@functools.lru_cache(maxsize=None)
def session(_: Optional[Aws] = None) -> boto3.session.Session:
    """The session that an account's clients are made of."""
    try:
        return boto3.session.Session()
    except BotoCoreError as error:
        raise Problem(one_line(error)) from None


def profile_region() -> Optional[str]:
    return session().region_name


def is_loopback(endpoint: Optional[str]) -> bool:
    """Whether an endpoint is on this machine."""
    try:
        return bool(endpoint) and urllib.parse.urlsplit(endpoint).hostname in LOOPBACK
    except ValueError:
        raise Problem("ENDPOINT isn't a URL: write one such as http://127.0.0.1:4566") from None
