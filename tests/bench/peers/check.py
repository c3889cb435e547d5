"""Tries each peer: it answers, records and tells what it should, and nothing else, over TLS and AWS' own protocols."""
from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
import tempfile
import textwrap
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import boto3

from end_to_end.functions import Ended
from end_to_end.runtime_api import Running
from stack.deployment import webhooks
from stack.emulator import ACCESS_KEY, HOST, REGION, SECRET_KEY, Emulator, free_port

from .build import folder

#: The floor: it only answers.
FLOOR = "hello"
#: How much of what went wrong is told.
SHOWN_LENGTH = 200
APPROVED, DECLINED = "veriff/decision-approved", "veriff/decision-declined"
FORGED = "veriff/forged-signature"
CREDENTIALS = webhooks.credentials("veriff", webhooks.LOCAL_CREDENTIALS)
KEYS: dict[str, str] = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY, "region_name": REGION}


class Wrong(Exception):
    """What a peer did and should not have done."""


def problems(peers: list[str]) -> dict[str, str]:
    """What is wrong with which of the peers."""
    found: dict[str, str] = {}
    if not peers:
        return found
    with stores() as aws:
        for peer in peers:
            print(f"{peer}: trying it …", flush=True)
            try:
                check(peer, aws)
            except (Wrong, Ended) as wrong:
                found[peer] = textwrap.shorten(str(wrong), SHOWN_LENGTH)
    return found


def check(peer: str, aws: Stores) -> None:
    """Sends a peer what Veriff may send; raises `Wrong`, or `Ended` if there is no answer."""
    with Running(folder(peer) / "bootstrap", aws.variables()) as running:
        if peer == FLOOR:
            expect(peer, "answer", running.call(event(APPROVED, new_session()))["statusCode"], 200)
            return
        session = Session(aws, running, new_session())
        session.send(FORGED, answers=(401, 403), records=0, messages=[])
        session.send(APPROVED, records=1, messages=["approved"])
        session.send(APPROVED, records=1, messages=[])
        session.send(DECLINED, {"decisionTime": "2026-06-10T00:00:00.000001Z"}, messages=[])
        session.send(DECLINED, {"decisionTime": "2026-06-13T10:00:00.000001Z"}, messages=["declined"])
        session.send(DECLINED, {"decisionTime": "2026-06-14T10:00:00.000001Z"}, messages=[])


@dataclass
class Session:
    """A session that a peer hears of."""

    aws: Stores
    running: Running
    id: str

    def send(self, sample: str, members: dict[str, Any] | None = None, *, messages: list[str],
             answers: tuple[int, ...] = (200,), records: int | None = None) -> None:
        """Has the peer answer a sample, and looks at what it did."""
        status = self.running.call(event(sample, self.id, members))["statusCode"]
        if status not in answers:
            raise Wrong(f"{sample} is answered {status}")
        expect(sample, "messages", self.aws.outcomes(), messages)
        if records is not None:
            expect(sample, "records", self.aws.records(self.id), records)


def expect(sample: str, what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise Wrong(f"after {sample}: {what} {found}, not {expected}")


def new_session() -> str:
    return str(uuid.uuid4())


def event(name: str, session: str, members: dict[str, Any] | None = None) -> dict[str, Any]:
    """A sample of that session's."""
    return webhooks.make(webhooks.find(name), CREDENTIALS, members, session=session)


class Stores:
    """A table and a queue, and what peers find them by."""

    def __init__(self, endpoint: str, secured: list[str], certificate: Path):
        self.secured, self.certificate = secured, certificate
        self.dynamodb = boto3.client("dynamodb", endpoint_url=endpoint, **KEYS)
        self.sqs = boto3.client("sqs", endpoint_url=endpoint, **KEYS)
        create_table(self.dynamodb, "sessions", "pk", "sk")
        create_table(self.dynamodb, "idempotency", "id")
        self.queue = self.sqs.create_queue(QueueName="decisions.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def variables(self) -> dict[str, str]:
        """What a peer is started with."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": self.secured[0],
            "AWS_ENDPOINT_URL_SQS": self.secured[1],
            "AWS_LAMBDA_FUNCTION_NAME": "peer",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "peer",
            "AWS_LAMBDA_LOG_STREAM_NAME": "peer",
            "SSL_CERT_FILE": str(self.certificate),
            "SESSIONS_TABLE": "sessions",
            "IDEMPOTENCY_TABLE": "idempotency",
            "DECISIONS_QUEUE_URL": self.queue,
            "VERIFF_CREDENTIALS": json.dumps(CREDENTIALS),
        }

    def records(self, session: str) -> int:
        """How many items say what was decided about a session."""
        found = self.dynamodb.query(
            TableName="sessions", KeyConditionExpression="pk = :pk", ConsistentRead=True,
            ExpressionAttributeValues={":pk": {"S": f"SESSION#veriff/{session}"}})
        return sum(item["sk"]["S"] in ("DECISION", "STATE") for item in found["Items"])

    def outcomes(self) -> list[str]:
        """Takes what is on the queue."""
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"])["outcome"] for message in messages]


def create_table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"))])


@contextlib.contextmanager
def stores() -> Iterator[Stores]:
    """An emulator behind TLS."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ends:
        directory, port = Path(name), free_port()
        emulator = Emulator(port, directory)
        ends.callback(emulator.stop)
        certificate, key = directory / "certificate.pem", directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-days", "1", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext",
             "basicConstraints=critical,CA:FALSE", "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True)
        yield Stores(emulator.endpoint, ends.enter_context(relays(certificate, key, port)), certificate)


@contextlib.contextmanager
def relays(certificate: Path, key: Path, port: int) -> Iterator[list[str]]:
    """Takes TLS off what comes to two ports of their own; returns the ports' URLs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def listen() -> list[str]:
        servers = [await asyncio.start_server(connected, HOST, 0, ssl=context) for _ in range(2)]
        return [f"https://localhost:{server.sockets[0].getsockname()[1]}" for server in servers]

    yield asyncio.run_coroutine_threadsafe(listen(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hands on what comes until there is no more."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
