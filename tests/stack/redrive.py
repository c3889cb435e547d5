"""Sends what is in quarantine back to intake, on the local stack.

It stands in for SQS's own redrive, which MiniStack lacks. In AWS, with the queues' ARNs:

    aws sqs start-message-move-task --source-arn … --destination-arn …
"""
from __future__ import annotations

import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .deployment import operator, outputs
from .emulator import endpoint_of, port
from .steps import Failure


def redrive(queues: Any, source: str, destination: str) -> int:
    """Moves the messages that are on one queue now to another, as they are. What comes back meanwhile stays, so that
    a message that is still unreadable doesn't go round and round."""
    there = queues.get_queue_attributes(QueueUrl=source, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    moved = 0
    for _ in range(int(there["ApproximateNumberOfMessages"])):
        for message in queues.receive_message(QueueUrl=source, MessageAttributeNames=["All"]).get("Messages", []):
            queues.send_message(
                QueueUrl=destination, MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}))
            queues.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main() -> int:
    try:
        endpoint = endpoint_of(port())
        queues = outputs(endpoint)
        moved = redrive(operator("sqs", endpoint), queues["QuarantineQueueUrl"], queues["IntakeQueueUrl"])
    except Failure as failure:
        print(f"make redrive: {failure}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"make redrive: no stack answers (is `make run` up, on this PORT?): {error}", file=sys.stderr)
        return 1
    print(f"Sent from quarantine to intake: {moved}. (This stands in for a call of SQS's own, which MiniStack lacks:"
          " aws sqs start-message-move-task)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
