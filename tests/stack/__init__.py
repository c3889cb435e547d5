"""The local stack: MiniStack on 127.0.0.1 with the real template deployed on it by the real `sam deploy`.

    with stack.start(stack.free_port()) as verdict:
        verdict.outputs["VeriffDecisionsUrl"]      # reachable from here
        verdict.client("dynamodb")                 # boto3, pointed at the stack
        verdict.session("veriff", session_id)      # the record, or None
        verdict.incode_api.script(session_id, …)   # what Incode says when the poller asks about it
        verdict.invoke("IncodePoller")             # without waiting for its minute
"""
from .deployment import Stack, start
from .emulator import free_port
from .steps import Failure

__all__ = ["Failure", "Stack", "free_port", "start"]
