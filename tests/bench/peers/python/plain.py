"""The handler with boto3 alone."""
from typing import Any

from decisions import body_of, handle, is_genuine


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    body = body_of(event)
    if not is_genuine(body, event["headers"]):
        return {"statusCode": 401}
    handle(body)
    return {"statusCode": 200}
