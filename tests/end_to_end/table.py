"""The sessions table, looked at from outside."""
from __future__ import annotations

from typing import Any

from stack import Stack


def items(stack: Stack, session_id: str, sort: str = "", provider: str = "veriff") -> list[dict[str, Any]]:
    """A session's items in DynamoDB's JSON: all, or those of one sort (`EVENT`, `PAYLOAD`, `NOTIFICATION`, `STATE`)."""
    pages = stack.client("dynamodb").get_paginator("query").paginate(
        TableName=stack.outputs["SessionsTableName"],
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"SESSION#{provider}/{session_id}"}},
    )
    return [item for page in pages for item in page["Items"] if item["sk"]["S"].startswith(sort)]


def outbox(stack: Stack, session_id: str) -> list[dict[str, Any]]:
    """What a session still has to tell the world."""
    return items(stack, session_id, "NOTIFICATION")


def unpublished(stack: Stack) -> int:
    """How many notifications of all sessions wait in an outbox."""
    return _count(
        stack, FilterExpression="begins_with(sk, :sort)", ExpressionAttributeValues={":sort": {"S": "NOTIFICATION#"}})


def clear_outboxes(stack: Stack) -> None:
    """Takes out of every outbox what nobody is to publish."""
    database, table = stack.client("dynamodb"), stack.outputs["SessionsTableName"]
    pages = database.get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True, FilterExpression="begins_with(sk, :sort)",
        ExpressionAttributeValues={":sort": {"S": "NOTIFICATION#"}})
    for item in [item for page in pages for item in page["Items"]]:
        database.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


def size(stack: Stack) -> int:
    """How many items the whole table holds, but for outboxes, which empty by themselves (and are never all there is)."""
    return _count(
        stack, FilterExpression="NOT begins_with(sk, :sort)",
        ExpressionAttributeValues={":sort": {"S": "NOTIFICATION#"}})


def _count(stack: Stack, **which: Any) -> int:
    pages = stack.client("dynamodb").get_paginator("scan").paginate(
        TableName=stack.outputs["SessionsTableName"], ConsistentRead=True, Select="COUNT", **which)
    return sum(page["Count"] for page in pages)
