"""The handler with Powertools' idempotency: a genuine body is handled once. It is an item in a table of its own."""
import os
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function)
from decisions import body_of, dynamodb, handle, is_genuine

# Veriff sends a webhook again for up to seven days.
config = IdempotencyConfig(expires_after_seconds=8 * 24 * 3600)
table = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"], boto3_client=dynamodb)


@idempotent_function(data_keyword_argument="body", persistence_store=table, config=config)  # type: ignore[untyped-decorator]
def handle_once(body: str) -> dict[str, Any]:
    handle(body.encode())
    return {"statusCode": 200}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    body = body_of(event)
    # Behind the proof: a forged body must not become an item.
    if not is_genuine(body, event["headers"]):
        return {"statusCode": 401}
    config.register_lambda_context(context)
    answer: dict[str, Any] = handle_once(body=body.decode())
    return answer
