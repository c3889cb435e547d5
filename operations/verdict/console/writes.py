"""The look at the quarantine, and the writes: each has a dry run, needs a reason, and puts itself on record.

They are the command line's own functions, and the audit file is the same: `audit.jsonl`, where the console was started.
"""
from __future__ import annotations

import contextlib
import threading
from typing import Any, Iterator, Mapping, Sequence

import click

from .. import audit, quarantine, redrive, resend
from ..intake import Key
from ..interruption import ending, whole
from ..rebuild import Deployment, Rebuild, apply, ask
from .body import flag, members, number
from .routes import Question, Refusal, Route, Shared

#: How many messages of the quarantine a look shows at most.
LOOKED_AT = 50
#: How many sessions one question may name. The functions answer ten of them in at most 25 s.
MOST_SESSIONS = 20
#: How many sessions' rebuilds are requested a second.
RATE = 10.0


def look(shared: Shared, question: Question) -> Mapping[str, Any]:
    """What is in the quarantine: some of about so many. Everything is given back."""
    members(question)
    return quarantine.look(shared.stack, LOOKED_AT).json


def preview(shared: Shared, question: Question) -> Mapping[str, Any]:
    """What a rebuild of these sessions would come to."""
    members(question, "sessions", "withdraw")
    return {"sessions": list(ask(Deployment.of(shared.stack), keys(question), Rebuild(flag(question, "withdraw"))))}


def rebuild(shared: Shared, question: Question) -> Mapping[str, Any]:
    """Requests the rebuild of these sessions."""
    members(question, "sessions", "withdraw", "reason")
    sessions, how = keys(question), Rebuild(flag(question, "withdraw"), reason(question))
    shared.stack.refuse_without_operator()
    with writing(shared) as log:
        return {"requested": apply(Deployment.of(shared.stack), sessions, how, RATE, log)}


def resend_session(shared: Shared, question: Question) -> Mapping[str, Any]:
    """Requests that what was told of a session is told again, from a sequence on; as a dry run, says what that is."""
    members(question, "session", "from", "reason", "dryRun")
    session, first = key(question.body.get("session")), number(question, "from")
    is_dry = flag(question, "dryRun", default=None)
    why = None if is_dry else reason(question)
    resend.refuse_too_old(shared.stack)
    plan = resend.resend_plan(shared.stack, session, first)
    if why is not None:
        with writing(shared) as log:
            resend.resend(shared.stack, session, first, why, log)
    return {**plan.json, "requested": not is_dry}


def redrive_quarantine(shared: Shared, question: Question) -> Mapping[str, Any]:
    """Sends what is in the quarantine back to intake; as a dry run, says about how much that is."""
    members(question, "reason", "dryRun")
    is_dry = flag(question, "dryRun", default=None)
    why = None if is_dry else reason(question)
    about, moved = redrive.redrive_dry_run(shared.stack), None
    if why is not None:
        with writing(shared) as log:
            moved = redrive.redrive(shared.stack, why, log)
    return {"about": about, "moved": moved}


@contextlib.contextmanager
def writing(shared: Shared) -> Iterator[audit.Log]:
    """While nothing else is written: the log that it is put on record in."""
    lock = lock_of(shared)
    if not lock.acquire(blocking=False):
        raise Refusal(409, "busy", "another write is under way: wait for its end")
    try:
        with audit.Log.opened(audit.FILE, shared.stack) as log:
            yield log
    finally:
        lock.release()


def finish(shared: Shared) -> None:
    """Has the write that is under way end after its present step, and waits until it is on record. No other one begins."""
    lock = lock_of(shared)
    with whole(), ending():
        if not lock.acquire(blocking=False):
            click.echo("The write that is under way is put on record first.", err=True)
            lock.acquire()


def lock_of(shared: Shared) -> threading.Lock:
    """Held by the write that is under way."""
    return shared.once("writing", float("inf"), threading.Lock)


# ---- What a question says ----

def keys(question: Question) -> list[Key]:
    """The sessions that are named, each once."""
    named = question.body.get("sessions")
    if not isinstance(named, list) or not 1 <= len(named) <= MOST_SESSIONS:
        raise Refusal(400, "bad_request", f"`sessions` has to be a list of 1 to {MOST_SESSIONS} sessions")
    return list(dict.fromkeys(map(key, named)))


def key(text: Any) -> Key:
    try:
        return Key.parse(text if isinstance(text, str) else "")
    except click.BadParameter:
        raise Refusal(400, "bad_request", "write a session as {provider}/{sessionId}") from None


def reason(question: Question) -> str:
    given = question.body.get("reason")
    if not isinstance(given, str) or not audit.REASON.fullmatch(given):
        raise Refusal(400, "reason_needed", f"say why, in `reason`: {audit.REASON_FORM}")
    return given


ROUTES: Sequence[Route] = (
    Route("POST", "/api/quarantine/look", look),
    Route("POST", "/api/rebuild/preview", preview),
    Route("POST", "/api/rebuild", rebuild),
    Route("POST", "/api/resend", resend_session),
    Route("POST", "/api/redrive", redrive_quarantine),
)
