"""A session's record as a page: its status and decision, its checks, its attempts."""
from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping, Optional, Sequence

from ..intake import Key
from ..tables import Number, listed, pairs, seconds, show_fields, show_heading, show_table

CHECKS = ("CHECK", "OUTCOME", "AT", "CODES", "DETAIL", "REASON")
ATTEMPTS = ("ATTEMPT", Number("EVENTS"), "FIRST EVENT", "LAST EVENT", "DECIDED")


def show(session: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    show_fields(fields(session))
    if session["checks"]:
        show_heading("Checks")
        show_table(CHECKS, [check(name, each) for name, each in session["checks"].items()])
    attempts = of_attempts(events)
    if attempts:
        show_heading("Attempts")
        show_table(ATTEMPTS, attempts)


def fields(session: Mapping[str, Any]) -> dict[str, Any]:
    subject, decision = session["subject"], session["decision"]
    return {
        "session": Key(session["provider"], session["sessionId"]),
        "kind": session["kind"],
        "status": status(session),
        "reference": subject["reference"],
        "provider's user id": subject["providerUserId"],
        "current attempt": session["attemptId"],
        **(of_decision(decision) if decision else {"decision": None}),
        "events": f"{session['events']}, from {seconds(session['firstEventAt'])} to {seconds(session['lastEventAt'])}",
        "last sequence told": session["notifications"] or None,
        "version": session["version"],
        **({"remarks": listed(session["remarks"])} if session["remarks"] else {}),
    }


def status(session: Mapping[str, Any]) -> str:
    since = seconds(session["statusSince"])
    return f"{session['status']}, since {since}" if since else session["status"]


def of_decision(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "decision": f"{decision['outcome']}, {'final' if decision['final'] else 'not final'}",
        "decided at": seconds(decision["decidedAt"]),
        "attempt decided on": decision["attemptId"],
        "reason codes": codes(decision),
        "reason": decision["reason"],
        "detail": pairs(decision["detail"]),
    }


def codes(of: Mapping[str, Any]) -> str:
    """The reason codes of a decision or a check."""
    return listed(of.get("reasonCodes") or [])


def check(name: str, of: Mapping[str, Any]) -> list[Any]:
    return [name, of["outcome"], seconds(of["at"]), codes(of), pairs(of["detail"]), of["reason"]]


def of_attempts(events: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """A row for each attempt that an event names, in the order of their first events."""
    attempts: dict[str, list[Mapping[str, Any]]] = {}
    for event in by_arrival(events):
        if event["attemptId"]:
            attempts.setdefault(event["attemptId"], []).append(event)
    return [[attempt, len(its), seconds(its[0]["receivedAt"]), seconds(its[-1]["receivedAt"]), decided(its)]
            for attempt, its in attempts.items()]


def decided(events: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """The outcome of the decision among an attempt's events that counts from the latest time."""
    decisions = [each for each in events if each["decision"]]
    latest = max(decisions, key=lambda each: datetime.fromisoformat(each["effectiveAt"]), default=None)
    return latest["decision"]["outcome"] if latest else None


def by_arrival(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(events, key=lambda each: datetime.fromisoformat(each["receivedAt"]))
