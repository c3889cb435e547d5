"""Changes what a sample says: how it ended, why, or any member of its body by its path.

A body is changed as text, so that all its other bytes stay. `FAMILIES` says where the webhooks of each kind have what
became of the person, and by which words.
"""
from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import Any, Iterator, Optional

#: Any member of an object, or any entry of an array, in the path of a family.
ANY = "*"
DECODER = json.JSONDecoder()
WHITE_SPACE = re.compile(r"[ \t\r\n]*")
#: So many names are shown where a path goes wrong.
SHOWN = 12


class Problem(Exception):
    """Something that the caller can put right; the message is one line that says how."""


@dataclass(frozen=True)
class Changes:
    """What a sample is to say in place of its own words."""

    outcome: Optional[str] = None
    reason: Optional[str] = None
    members: tuple[tuple[str, str], ...] = ()  # a path, and a value as JSON

    def __bool__(self) -> bool:
        return bool(self.outcome or self.reason or self.members)


AS_IT_IS = Changes()


@dataclass(frozen=True)
class Family:
    """Webhooks of one kind, and how they say what became of the person."""

    provider: str
    #: The members that tell this kind, with the values that one may have, if not any.
    told_by: dict[str, tuple[str, ...]]
    #: By Verdict's word for an outcome, the members that say it.
    outcomes: dict[str, dict[str, Any]]
    #: The members that give a reason; those that a body has count.
    reasons: tuple[str, ...] = ()
    #: How a reason is written, if not as it is.
    reason_form: str = "{}"

    def fits(self, text: str) -> bool:
        for path, values in self.told_by.items():
            found = [json.loads(text[begin:end]) for begin, end in places(text, path)]
            if not found or (values and not all(value in values for value in found)):
                return False
        return True


def veriff(where: str, code: bool) -> dict[str, dict[str, Any]]:
    """The outcomes of Veriff's decisions. What isn't declined has no reason in its samples."""
    codes = {"approved": 9001, "declined": 9102, "resubmission_requested": 9103, "expired": 9104, "abandoned": 9121,
             "review": 9121}
    none = {"verification.reason": None, "verification.reasonCode": None}
    return {outcome: {where: outcome, **({"verification.code": number} if code else {}),
                      **(none if code and outcome not in ("declined", "resubmission_requested") else {})}
            for outcome, number in codes.items()}


def said(where: str, **words: Any) -> dict[str, dict[str, Any]]:
    """Outcomes that one member says."""
    return {outcome: {where: word} for outcome, word in words.items()}


def treezor(under: str) -> Iterator[Family]:
    """Treezor's kinds, with their payload under this member."""
    payload, name = f"{under}object_payload", f"{under}webhook"
    users, documents = f"{payload}.users.*", f"{payload}.documents.*"
    yield Family("treezor", {f"{users}.kycReview": (), name: ("user.kycreview",)},
                 said(f"{users}.kycReview", approved="2", declined="3", review="1"), (f"{users}.codeStatus",))
    yield Family("treezor", {f"{documents}.documentStatus": ()},
                 said(f"{documents}.documentStatus", pending="PENDING", passed="VALIDATED", failed="REFUSED",
                      cancelled="CANCELED"), (f"{documents}.codeStatus",))
    review, status = f"{payload}.kycReview", f"{payload}.kycStatus"
    yield Family("treezor", {review: (), name: ("kycreview.result",)}, {
        "approved": {review: 2, status: "VALIDATED"}, "declined": {review: 3, status: "REFUSED"},
        "review": {review: 1, status: "PENDING"}}, (f"{payload}.codeStatus",))
    refusal = f"{payload}.refusal-details.reasons.*.reason-code"
    yield Family("treezor", {refusal: ()}, said(f"{payload}.score", declined=0), (refusal,))
    yield Family("treezor", {f"{payload}.kyc-status": ("processed",), f"{payload}.score": ()},
                 said(f"{payload}.score", approved=1, declined=0))
    yield Family("treezor", {f"{payload}.identId": (), f"{payload}.result": ()},
                 said(f"{payload}.result", approved="SUCCESS", declined="CANCELED", abandoned="ABORTED",
                      review="REVIEW_PENDING"), (f"{payload}.reason.reasonDetails.reasonCode",))


def wultra() -> Iterator[Family]:
    process = "eventData.process"
    yield Family("wultra", {f"{process}.status": ()}, {
        "approved": {f"{process}.status": "FINISHED", f"{process}.errorDetail": None},
        "failed": {f"{process}.status": "FAILED"}}, (f"{process}.errorDetail",))
    for check in ("documentVerification", "finalDocumentVerification", "presenceCheck"):
        where = f"eventData.{check}"
        yield Family("wultra", {f"{where}.status": ()},
                     said(f"{where}.status", passed="ACCEPTED", failed="REJECTED", error="FAILED"),
                     (f"{where}.rejectReason",), "Rejected by provider [{}]")


FAMILIES = (
    Family("veriff", {"verification.status": ()}, veriff("verification.status", code=True), ("verification.reasonCode",)),
    Family("veriff", {"data.verification.decision.value": ()}, veriff("data.verification.decision.value", code=False)),
    Family("veriff", {"data.verification.decision": ()}, veriff("data.verification.decision", code=False)),
    Family("veriff", {"matchStatus": ()}, {
        "passed": {"matchStatus": "no_match", "totalHits": 0, "hits": []}, "flagged": {"matchStatus": "possible_match"}}),
    Family("veriff", {"data.verification.userDefinedData": ()}, {},
           ("data.verification.userDefinedData.reasonCode",)),
    Family("incode", {"onboardingStatus": ()}, said(
        "onboardingStatus", approved="MANUAL_REVIEW_APPROVED", declined="MANUAL_REVIEW_REJECTED", expired="EXPIRED")),
    Family("incode", {"overallStatus": ()}, said("overallStatus", passed="PASS", failed="FAIL"), ("errorCode",)),
    *treezor(""), *treezor("webhook."), *wultra(),
)
#: All of Verdict's words that a sample can be asked to say.
OUTCOMES = tuple(sorted({outcome for family in FAMILIES for outcome in family.outcomes}))


# ---- Saying something else ----

def family_of(provider: str, body: bytes) -> Optional[Family]:
    """The kind of a webhook, if it is one that says what became of a person."""
    text = json_text(body)
    if text is None:
        return None
    return next((family for family in FAMILIES if family.provider == provider and family.fits(text)), None)


def with_outcome(family: Family, body: bytes, outcome: str) -> bytes:
    """The body, saying that it ended so."""
    for path, value in family.outcomes[outcome].items():
        body = replace(body, path, value)
    return body


def with_reason(family: Family, body: bytes, reason: str) -> bytes:
    for path in family.reasons:
        body = replace(body, path, family.reason_form.format(reason))
    return body


def has_reason(family: Family, body: bytes) -> bool:
    """Whether the body has a place for a reason."""
    text = json_text(body) or ""
    return any(places(text, path) for path in family.reasons)


def replace(body: bytes, path: str, value: Any) -> bytes:
    """Gives the members at a path, as far as there are any, another value, in the form that they have: a code is a number
    in some bodies and a text in others."""
    text = body.decode("utf-8")
    for begin, end in reversed(places(text, path)):
        text = text[:begin] + json.dumps(in_form_of(text[begin], value)) + text[end:]
    return text.encode("utf-8")


def in_form_of(first: str, value: Any) -> Any:
    """The value as a text if the old one, which begins so, was one; else as a number if it is one."""
    if first == '"':
        return str(value) if isinstance(value, int) else value
    return int(value) if isinstance(value, str) and re.fullmatch("0|[1-9][0-9]*", value) else value


# ---- Members by their path ----

def with_member(name: str, body: bytes, path: str, value: str) -> bytes:
    """The body of a sample with the member at a path, or several that are named alike, replaced by a JSON value."""
    text = json_text(body)
    if text is None:
        raise Problem(f"the body of {name} is no JSON object, so nothing in it can be set; take another sample")
    found = places(text, path)
    if not found:
        raise Problem(f"{name} has no member {path}; {nearest(text, path)}")
    for begin, end in reversed(found):
        text = text[:begin] + value + text[end:]
    return text.encode("utf-8")


def as_json(text: str) -> str:
    """A value as JSON: as it is, if it is JSON, else as a text."""
    try:
        json.loads(text, parse_constant=refuse)
        text.encode("utf-8")
        return text
    except ValueError:
        return json.dumps(text)


def refuse(constant: str) -> None:
    """Python takes NaN and Infinity for JSON; nothing else does."""
    raise ValueError(constant)


def nearest(text: str, path: str) -> str:
    """What was meant, as far as that can be guessed."""
    known = list(all_paths(text))
    wanted = ".".join(steps_of(path))
    by_case = [each for each in known if each.lower() == wanted.lower()]
    ends_alike = [each for each in known if each.split(".")[-1] == wanted.split(".")[-1]]
    close = by_case or difflib.get_close_matches(wanted, known, 1, 0.8) or ends_alike or difflib.get_close_matches(
        wanted, known, 1, 0.5)
    if close:
        return f"did you mean {close[0]}?"
    names = [each for each in known if "." not in each]
    return f"it has {', '.join(names[:SHOWN])}" + (" and others" if len(names) > SHOWN else "")


def all_paths(text: str, at: int = 0, under: str = "") -> Iterator[str]:
    """The path of every member."""
    for name, begin, _ in entries(text, skip(text, at)):
        yield under + name
        yield from all_paths(text, begin, f"{under}{name}.")


def places(text: str, path: str) -> list[tuple[int, int]]:
    """Where the values at a path begin and end. Of several members with one name, all count."""
    found = [(skip(text, 0), len(text))]
    for step in steps_of(path):
        found = [(begin, end) for at, _ in found for name, begin, end in entries(text, at) if step in (name, ANY)]
    return found


def steps_of(path: str) -> list[str]:
    """The names and indexes of a path, such as `users.0.kycReview` or `users[0].kycReview`."""
    return re.sub(r"\[(\d+)\]", r".\1", path).split(".")


def entries(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """The members of the object that begins there, or the entries of the array: each one's name, and where its value
    begins and ends."""
    opening = text[at:at + 1]
    if opening not in ("{", "["):
        return
    at, index = skip(text, at + 1), 0
    while text[at] not in "}]":
        name = str(index)
        if opening == "{":
            name, at = DECODER.raw_decode(text, at)
            at = skip(text, skip(text, at) + 1)
        end = DECODER.raw_decode(text, at)[1]
        yield name, at, end
        at, index = skip(text, end), index + 1
        if text[at] == ",":
            at = skip(text, at + 1)


def skip(text: str, at: int) -> int:
    """The next place that isn't white space."""
    return WHITE_SPACE.match(text, at).end()


def json_text(body: bytes) -> Optional[str]:
    """The body's text, if it is a JSON object."""
    try:
        text = body.decode("utf-8")
        return text if isinstance(json.loads(text), dict) else None
    except (ValueError, RecursionError):
        return None
