"""Veriff's decision webhook with boto3, as a handler of one's own has it: proof, one conditional put, one message."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any, Optional

import boto3
from botocore.exceptions import ClientError

SECRETS = [secret.encode() for secret in json.loads(os.environ["VERIFF_CREDENTIALS"])["secrets"]]
TABLE = os.environ["SESSIONS_TABLE"]
QUEUE = os.environ["DECISIONS_QUEUE_URL"]

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


class Recorded(Exception):
    """The decision, or a later one, is on record already."""


def body_of(event: dict[str, Any]) -> bytes:
    """The raw body of a request."""
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def is_genuine(body: bytes, headers: dict[str, str]) -> bool:
    """Whether the body was signed with one of the secrets."""
    signature = headers.get("x-hmac-signature", "").lower().encode()
    return any(hmac.compare_digest(hmac.new(secret, body, hashlib.sha256).hexdigest().encode(), signature)
               for secret in SECRETS)


def handle(body: bytes) -> None:
    """Records the decision in a genuine webhook, and sends a message if the outcome changed."""
    decision = json.loads(body).get("verification")
    if not decision:
        return
    try:
        before = record(decision, body)
    except Recorded:
        return
    if before != decision["status"]:
        publish(decision, before, body)


def record(decision: dict[str, Any], body: bytes) -> Optional[str]:
    """Puts a decision, and returns the outcome that it replaces."""
    item = {
        "pk": {"S": f"SESSION#veriff/{decision['id']}"},
        "sk": {"S": "DECISION"},
        "attemptId": maybe(decision.get("attemptId")),
        "outcome": {"S": decision["status"]},
        "code": {"N": str(decision["code"])},
        "reason": maybe(decision.get("reason")),
        "reference": maybe(decision.get("vendorData")),
        "decidedAt": {"S": decided_at(decision)},
        "payload": {"S": body.decode()},
    }
    try:
        answer = dynamodb.put_item(
            TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk) OR decidedAt < :decidedAt",
            ExpressionAttributeValues={":decidedAt": item["decidedAt"]}, ReturnValues="ALL_OLD")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise Recorded from None
        raise
    return answer.get("Attributes", {}).get("outcome", {}).get("S")


def publish(decision: dict[str, Any], before: Optional[str], body: bytes) -> None:
    """Sends the message about a decision."""
    message = {
        "type": "decision",
        "provider": "veriff",
        "sessionId": decision["id"],
        "attemptId": decision.get("attemptId"),
        "outcome": decision["status"],
        "previousOutcome": before,
        "reasonCode": decision.get("reasonCode"),
        "reference": decision.get("vendorData"),
        "decidedAt": decided_at(decision),
    }
    sqs.send_message(
        QueueUrl=QUEUE, MessageBody=json.dumps(message), MessageGroupId=f"veriff/{decision['id']}",
        MessageDeduplicationId=hashlib.sha256(body).hexdigest())


def decided_at(decision: dict[str, Any]) -> str:
    """The time that a decision counts from. Veriff writes all times alike, so that they compare as text."""
    return decision.get("decisionTime") or decision.get("acceptanceTime") or ""


def maybe(text: Optional[str]) -> dict[str, Any]:
    return {"NULL": True} if text is None else {"S": text}
