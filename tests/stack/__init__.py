"""The local stack: MiniStack on 127.0.0.1 with the real template deployed on it by the real `sam deploy`.
Every caller is held to its permissions, as in AWS.

    with stack.start(stack.free_port()) as verdict:
        verdict.outputs["VeriffDecisionsUrl"]      # reachable from here
        verdict.client("dynamodb")                 # boto3, pointed at the stack, as the account's root user
            verdict.operator("sqs")                    # the same as the operator
        verdict.backend("sqs")                     # the same as your own service
        verdict.session("veriff", session_id)      # the record, or None
        verdict.incode_api.script(session_id, …)   # what Incode says when the poller asks about it
        verdict.invoke("IncodePoller")             # without waiting for its minute
"""
from .deployment import Stack, start
from .emulator import free_port
from .steps import Failure

__all__ = ["Failure", "Stack", "free_port", "start"]
