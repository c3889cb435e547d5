#!/usr/bin/env python3
"""Lists the sample webhooks, signs them (with fresh ids where asked) and sends them to a Verdict API.

Needs nothing but Python 3.9. The local stack and the end-to-end tests import it as a module.
"""
from __future__ import annotations

import argparse
import base64
import collections
import difflib
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import sys
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

EVENTS = Path(__file__).resolve().parent
LOCAL_CREDENTIALS = EVENTS / "local-credentials.json"
TIMEOUT_SECONDS = 10

# A URL that ends in one of these is a whole webhook URL, any other is the API's base.
WEBHOOK_PATHS = ("/veriff/events", "/veriff/decisions")
# The secret behind forged signatures: nobody's.
FORGER = "the-secret-of-nobody"
# What API Gateway adds to the headers that a provider sends.
GATEWAY_HEADERS = ("host", "x-amzn-", "x-forwarded-")


class Problem(Exception):
    """Something that the caller can put right; the message is one line that says how."""


@dataclass(frozen=True)
class Sample:
    """One entry of the catalogue, whose API Gateway event is in `{name}.json`."""

    name: str  # {provider}/{situation}
    description: str
    signature: str  # genuine, upper-case, forged or missing
    ids: dict  # those of session, attempt and reference that the body holds
    expect: dict  # what the local stack shows once the sample was sent to a fresh session

    @property
    def provider(self) -> str:
        return self.name.split("/")[0]

    @property
    def file(self) -> Path:
        return EVENTS / f"{self.name}.json"

    def fresh_session(self) -> Optional[str]:
        """A random session id, or None where the sample holds no session id that it could replace."""
        return str(uuid.uuid4()) if "session" in self.ids else None


@dataclass(frozen=True)
class Answer:
    """What the endpoint answered; header names are in lower case."""

    status: int
    headers: dict
    body: str

    @property
    def outcome(self) -> Optional[str]:
        return self.headers.get("x-verdict-outcome")

    @property
    def session(self) -> Optional[str]:
        return self.headers.get("x-verdict-session")


def catalogue() -> list[Sample]:
    """Every sample, in sending order."""
    return [Sample(**entry) for entry in read_json(EVENTS / "catalogue.json")]


def find(name: str) -> Sample:
    """The sample of that name."""
    samples = {sample.name: sample for sample in catalogue()}
    if name in samples:
        return samples[name]
    close = " or ".join(difflib.get_close_matches(name, samples, cutoff=0.75))
    raise Problem(f"no sample {name!r}; " + (f"did you mean {close}?" if close else "`list` names them all"))


def credentials(provider: str, file: Optional[os.PathLike] = None) -> dict:
    """The provider's credentials: from `file` (all providers' or its own), else its variable, else the local ones."""
    variable = f"{provider.upper()}_CREDENTIALS"
    if file is None and os.environ.get(variable):
        source, found = variable, parse_json(variable, os.environ[variable])
    else:
        source = file or LOCAL_CREDENTIALS
        found = read_json(source)
    if isinstance(found, dict):
        found = found.get(provider, found)
    if not isinstance(found, dict) or not SIGNERS[provider].accepts(found):
        raise Problem(f"{source} holds no {provider} credentials; see {LOCAL_CREDENTIALS} for their form")
    return found


def read_json(path: os.PathLike) -> Any:
    try:
        return parse_json(path, Path(path).read_bytes())
    except OSError as error:
        raise Problem(f"cannot read {path} ({error.strerror}); check the path")


def parse_json(source: object, text: Union[bytes, str]) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        # A place at most: the text may hold secrets.
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "encoding"
        raise Problem(f"{source} is not JSON ({place}); correct it")


def body_of(event: dict) -> bytes:
    """The body's bytes, as the provider signed them."""
    return base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode("utf-8")


def with_body(event: dict, body: bytes) -> dict:
    """The event with another body, not yet signed."""
    text = base64.b64encode(body).decode("ascii") if event["isBase64Encoded"] else body.decode("utf-8")
    return {**event, "body": text}


def signed(event: dict, provider: str, keys: dict, signature: str = "genuine") -> dict:
    """The event with headers that prove its body in the provider's way, or fail to, as `signature` says."""
    return {**event, "headers": SIGNERS[provider].sign(event["headers"], body_of(event), keys, signature)}


def make(sample: Sample, keys: dict, **ids: Optional[str]) -> dict:
    """The sample as an API Gateway event, signed anew; `session`, `attempt`, `reference` replace ids in its body."""
    event = read_json(sample.file)
    body = replace_ids(sample, body_of(event), {kind: new for kind, new in ids.items() if new is not None})
    return signed(with_body(event, body), sample.provider, keys, sample.signature)


def replace_ids(sample: Sample, body: bytes, ids: dict) -> bytes:
    """Replaces ids as JSON strings in the text: some bodies are no JSON, on purpose, and all keep their other bytes."""
    for kind in ids:
        if kind not in sample.ids:
            raise Problem(f"{sample.name} holds no {kind} to replace; leave --{kind} out")
    if not ids:
        return body
    replacements = {json.dumps(sample.ids[kind]).encode(): json.dumps(new).encode() for kind, new in ids.items()}
    return re.sub(b"|".join(map(re.escape, replacements)), lambda found: replacements[found[0]], body)


class Veriff:
    """Proof: hex HMAC-SHA256 over the body, keyed with the shared secret as it is written."""

    @staticmethod
    def accepts(keys: dict) -> bool:
        lists = [keys.get("secrets"), keys.get("apiKeys", ["optional"])]
        return all(isinstance(entries, list) and entries for entries in lists) and all(
            isinstance(entry, str) and entry.strip() and entry.isprintable() for entries in lists for entry in entries)

    @staticmethod
    def signature(secret: str, body: bytes) -> str:
        return hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()

    @classmethod
    def sign(cls, headers: dict, body: bytes, keys: dict, signature: str) -> dict:
        # Veriff has two names for each header: the sample's own choice stays.
        prefix = "vrf" if "vrf-auth-client" in headers else "x"
        headers = dict(headers)
        headers.pop(f"{prefix}-hmac-signature", None)
        if signature != "missing":
            proof = cls.signature(FORGER if signature == "forged" else keys["secrets"][0], body)
            headers[f"{prefix}-hmac-signature"] = proof.upper() if signature == "upper-case" else proof
        if keys.get("apiKeys"):
            headers[f"{prefix}-auth-client"] = keys["apiKeys"][0]
        return dict(sorted(headers.items()))


SIGNERS = {"veriff": Veriff}


def send(event: dict, url: str) -> Answer:
    """Posts the event's body, byte for byte, under the API's base URL, or to a whole webhook URL."""
    connection, path, query = route(event, url)
    headers = {name: value for name, value in event["headers"].items() if not name.startswith(GATEWAY_HEADERS)}
    # No more than the host: the rest of a webhook URL may hold a token.
    host = f"{connection.host}:{connection.port}"
    try:
        method = event["requestContext"]["http"]["method"]
        connection.request(method, f"{path}?{query}" if query else path, body_of(event), headers)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
    except (socket.timeout, TimeoutError):
        raise Problem(f"{host} did not answer within {TIMEOUT_SECONDS} s; check the URL and the stack's health")
    except (UnicodeError, http.client.InvalidURL):
        raise Problem("the URL holds spaces, control or non-ASCII characters; percent-encode them")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Problem(f"no answer from {host} ({reason}); check the URL, or start the local stack with `make run`")
    finally:
        connection.close()


def route(event: dict, url: str) -> tuple[http.client.HTTPConnection, str, str]:
    """The connection, path and query with which the event reaches that URL."""
    try:
        target = urllib.parse.urlsplit(url)
        connect = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[target.scheme]
        connection = connect(target.hostname or "", target.port, timeout=TIMEOUT_SECONDS)
        if not connection.host:
            raise ValueError("no host")
    except (KeyError, ValueError, http.client.InvalidURL):
        raise Problem("not a URL to send to; give one such as https://….amazonaws.com or http://127.0.0.1:4566/…")
    path = target.path.rstrip("/")
    query = "&".join(filter(None, [target.query, event["rawQueryString"]]))
    return connection, path if path.endswith(WEBHOOK_PATHS) else path + event["rawPath"], query


def run_list(_: argparse.Namespace) -> int:
    samples = catalogue()
    width = max(len(sample.name) for sample in samples)
    for sample in samples:
        print(f"{sample.name:{width}}  {sample.description}")
    return 0


def run_sign(options: argparse.Namespace) -> int:
    if not options.all:
        print(as_text(made(options)), end="")
        return 0
    if options.session or options.attempt or options.reference or options.credentials:
        raise Problem("--all signs the files here as they are, with the local credentials: leave the other options out")
    samples = catalogue()
    for sample in samples:
        event = make(sample, credentials(sample.provider, LOCAL_CREDENTIALS))
        sample.file.write_text(as_text(event), "utf-8")
    print(f"{len(samples)} samples signed")
    return 0


def run_send(options: argparse.Namespace) -> int:
    event = made(options)
    with ThreadPoolExecutor(options.concurrency) as pool:
        sendings = [pool.submit(send, event, options.to) for _ in range(options.times)]
        try:
            answers = [sending.result() for sending in sendings]
        except Problem:
            pool.shutdown(cancel_futures=True)
            raise
    lines = collections.Counter(f"{a.status} {a.outcome or '-'} {a.session or '-'} {a.body.strip()}" for a in answers)
    for line, count in lines.items():
        print(line if options.times == 1 else f"{count} x {line}")
    expected = find(options.sample).expect["status"]
    if any(answer.status != expected for answer in answers):
        print(f"webhooks: expected status {expected}", file=sys.stderr)
        return 1
    return 0


def made(options: argparse.Namespace) -> dict:
    """The event that the command line asks for."""
    sample = find(options.sample)
    session = sample.fresh_session() if options.session == "new" else options.session
    keys = credentials(sample.provider, options.credentials)
    return make(sample, keys, session=session, attempt=options.attempt, reference=options.reference)


def as_text(event: dict) -> str:
    return json.dumps(event, indent=2) + "\n"


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line as a problem, in one line."""

    def error(self, message: str):
        raise Problem(f"{message}; `{self.prog} --help` shows what there is")


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(text)


def filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be blank")
    return text


def parser() -> argparse.ArgumentParser:
    making = argparse.ArgumentParser(add_help=False)
    making.add_argument("--session", type=filled, metavar="ID", help="session id to put in; `new` makes a random one")
    making.add_argument("--attempt", type=filled, metavar="ID", help="attempt id to put in")
    making.add_argument("--reference", type=filled, metavar="REF", help="your own reference (vendorData) to put in")
    making.add_argument("--credentials", type=filled, metavar="FILE",
                        help="credentials as in local-credentials.json, all or one provider's; "
                             "default: the variable VERIFF_CREDENTIALS, else local-credentials.json")

    top = Parser(prog="webhooks.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", help="name and describe the samples")
    listing.set_defaults(run=run_list)

    signing = commands.add_parser("sign", parents=[making], help="print a sample as an API Gateway event, signed anew")
    which = signing.add_mutually_exclusive_group(required=True)
    which.add_argument("sample", nargs="?", help="a name from `list`, such as veriff/decision-approved")
    which.add_argument("--all", action="store_true", help="sign every file here anew, in place")
    signing.set_defaults(run=run_sign)

    sending = commands.add_parser("send", parents=[making], help="post a sample to a Verdict API")
    sending.add_argument("sample", help="a name from `list`, such as veriff/decision-approved")
    sending.add_argument("--to", required=True, metavar="URL", help="the API's base URL (ApiUrl) or one webhook's URL")
    sending.add_argument("--times", type=positive, default=1, metavar="N", help="send the same webhook N times")
    sending.add_argument("--concurrency", type=positive, default=1, metavar="M", help="that many at once")
    sending.set_defaults(run=run_send)
    return top


def main(arguments: Optional[list[str]] = None) -> int:
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()
        return status
    except Problem as problem:
        print(f"webhooks: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has enough; nor must the interpreter try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
