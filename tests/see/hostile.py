"""Names that do harm wherever they are taken for more than text, and webhooks that have them in every field that a provider
or a person chooses.

What they would run sets `window.theirs`, and what elements they would make have the class `theirs`: so a page can be asked
whether any of them came to anything. Each ends in a number, by which it is found again in what the page shows.
"""
from __future__ import annotations

import collections
import json
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, Sequence

from stack.deployment import webhooks

RUN = "window.theirs=1"
#: Each by itself, and once more within a text.
NAMES = (
    f"<script>{RUN}</script>",
    f"</script><script class=theirs>{RUN}</script>",
    f'<img class=theirs src=x onerror="{RUN}">',
    f"<img class=theirs src='x' onerror='{RUN}'>",
    f"<svg class=theirs onload={RUN}>",
    "$(echo theirs) `echo theirs`; echo 'theirs' \"$HOME\" \\ !! | & > # ~ *",
    f"<svg class=theirs><animate onbegin={RUN} attributeName=x></svg>",
    f'<iframe class=theirs srcdoc="<script>parent.{RUN.removeprefix("window.")}</script>"></iframe>',
    f"<iframe class=theirs src=javascript:{RUN}>",
    f"<body class=theirs onload={RUN}>",
    f"<details class=theirs open ontoggle={RUN}>",
    f"<input class=theirs autofocus onfocus={RUN}>",
    f"<video class=theirs><source onerror={RUN}></video>",
    f'"onload="{RUN}',
    f'" onmouseover="{RUN}" class="theirs',
    f"' onfocus='{RUN}' autofocus class='theirs",
    f"` onfocus=`{RUN}` class=`theirs",
    f'"><script class=theirs>{RUN}</script>',
    "'><b class=theirs>bold</b>",
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}//",
    f"data:text/html,<script class=theirs>{RUN}</script>",
    f"<a class=theirs href='javascript:{RUN}'>press here</a>",
    "<form class=theirs action=https://elsewhere.example><button>press here",
    "<link class=theirs rel=stylesheet href=https://elsewhere.example/x.css>",
    "<meta class=theirs http-equiv=refresh content='0;url=https://elsewhere.example'>",
    "<base class=theirs href=https://elsewhere.example>",
    "<style class=theirs>*{display:none}</style>",
    "<textarea class=theirs>",
    "<plaintext class=theirs>",
    "<!-- ",
    "<![CDATA[",
    "</div></main></body></html>",
    "&lt;b&gt; &amp; &#60;script&#62; &nbsp;",
    "${window.theirs=1} {{constructor.constructor('window.theirs=1')()}} #{1} <%= 1 %>",
    "__proto__",
    "constructor",
    "--endpoint=https://elsewhere.example",
    "\u202egnp.exe\u202c",
    "\u2066\u202eabc\u202c",
    "\u200f\u202b\u05e9\u05dc\u05d5\u05dd 123 ABC",
    "\u0645\u0631\u062d\u0628\u0627 \u0661\u0662\u0663 \u200f!",
    "\x1b[31mred\x1b]8;;https://elsewhere.example\x07link\x1b]8;;\x07\x1b[2J",
    "null\x00byte",
    "line\nbreak\r\n\tand tab\u2028\u2029\u0085",
    "\ufeff\u200b\u200d\u00ad\u2060 invisible'; echo theirs; \\'; $(echo theirs) `echo theirs` !! #",
    "Z\u0351\u036b\u0343\u036a\u0342\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034da"
    * 12,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f4\U000e0067\U000e0062\U000e0065 \ud83d\ufffd"
    .encode("utf-8", "replace").decode("utf-8"),
    "W" * 10_000,
    "ten thousand letters " * 476,
)
WITHIN = "Ann {} Specimen"
#: What a session's id may have, in bytes; the record takes a reference of four times as many.
ID_BYTES, REFERENCE_CHARACTERS = 1000, 990
AT_ONCE = 8


def names() -> list[str]:
    """A hundred names."""
    every = [*NAMES, *(WITHIN.format(name) for name in NAMES)]
    return [f"{name} {mark(number)}" for number, name in enumerate(every)]


def mark(number: int) -> str:
    """The end of a name."""
    return f"n°{number:03}"


def short(name: str, size: int) -> str:
    """A name of so many bytes at most, with its beginning and its mark."""
    end = name[-len(mark(0)) - 1:]
    head = name.encode()[:size - len(end.encode())].decode("utf-8", "ignore")
    return name if len(name.encode()) <= size else head.rstrip() + end


def session_id(name: str) -> str:
    return short(name, ID_BYTES)


def reference(name: str) -> str:
    """As a list can be asked for it."""
    return short(name, REFERENCE_CHARACTERS)


#: By sample, the members that hold no structure: a path for each, and how its value is made of the name.
FIELDS: dict[str, dict[str, Any]] = {
    "veriff/event-waiting-continued": {
        "id": session_id, "attemptId": lambda name: short(name, 250), "vendorData": reference, "endUserId": reference,
    },
    "veriff/decision-declined": {
        "verification.id": session_id, "verification.attemptId": lambda name: short(name, 250),
        "verification.vendorData": reference, "verification.endUserId": reference, "verification.reason": str,
        "verification.person.firstName": str, "verification.person.lastName": str, "verification.person.gender": str,
        "verification.person.idNumber": str, "verification.person.placeOfBirth": str,
        "verification.document.type": str, "verification.document.number": str, "verification.document.country": str,
        "verification.comments": lambda name: [name], "technicalData.ip": str,
        "verification.riskLabels": lambda name: [{"label": name, "category": name, name: name}],
    },
    "veriff/watchlist-possible-match": {
        "sessionId": session_id, "attemptId": lambda name: short(name, 250), "vendorData": reference,
        "checkType": str, "searchTerm.name": str, "searchTerm.year": str,
        "hits": lambda name: [{"matchedName": name, "aka": [name], name: {name: [name]}}],
    },
    "wultra/document-rejected": {
        "processId": session_id, "userId": reference, "externalUserId": reference, "identityVerificationId": str,
        "processType": lambda name: short(name, 60),
        "eventData.documentVerification.documentVerificationId": lambda name: short(name, 200),
        "eventData.documentVerification.documentId": lambda name: short(name, 200),
        "eventData.documentVerification.rejectReason": str, "eventData.documentVerification.errorDetail": str,
        "eventData.documentVerification.provider": lambda name: short(name, 60),
        "eventData.documentVerification.documentVerificationResult": lambda name: {
            "type": name, "country": name, "data": {"surname": name, "givenNames": name, name: name}},
    },
    "treezor/document-update-refused": {
        "object_payload.documents.0.documentTag": str, "object_payload.documents.0.userFirstname": str,
        "object_payload.documents.0.userLastname": str, "object_payload.documents.0.name": str,
        "object_payload.documents.0.documentType": str, "object_payload.documents.0.fileName": str,
        "object_payload.documents.0.codeStatus": str, "object_payload.documents.0.documentId": lambda name: short(name, 200),
        "object_payload.documents.0.informationStatus": str,
    },
    "treezor/kycreview-result-refused": {
        "object_payload.kycReviewComment": str, "object_payload.distributionCountry": str,
        "object_payload.kycReviewType": str, "object_payload.codeStatus": str, "object_payload.informationStatus": str,
    },
    "incode/watchlist": {"interviewId": session_id, "ref": str, "search_id": str},
    "incode/id-validation-finished": {"interviewId": session_id, "externalId": reference},
}


def with_members(body: bytes, fields: dict[str, Any], name: str) -> bytes:
    """A JSON body that has the name in each of these members."""
    document = json.loads(body)
    for path, make in fields.items():
        *parents, last = path.split(".")
        place = document
        for parent in parents:
            place = place[int(parent)] if isinstance(place, list) else place[parent]
        place[last] = make(name)
    return json.dumps(document).encode()


def webhook(sample: str, name: str) -> dict[str, Any]:
    """The sample with the name wherever one may stand, proved."""
    found = webhooks.find(sample)
    event = webhooks.read_json(found.file)
    event = webhooks.with_body(event, with_members(webhooks.body_of(event), FIELDS[sample], name))
    keys = webhooks.credentials(found.provider, webhooks.LOCAL_CREDENTIALS)
    return webhooks.with_fresh_token(webhooks.prove(event, found.provider, keys), found, keys)


def odd_path(name: str) -> dict[str, Any]:
    """A forged webhook whose path has the name: Incode's paths end in a word that a sender chooses."""
    event = webhooks.read_json(webhooks.find("incode/missing-proof").file)
    return {**event, "rawPath": "/incode/" + urllib.parse.quote(short(name, 200), safe="")}


def sessions(every: Sequence[str]) -> list[list[str]]:
    """For each name, the sessions whose id it is."""
    return [[f"{provider}/{session_id(name)}" for provider in ("veriff", "wultra", "incode")] for name in every]


def every_webhook(every: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All webhooks that have them, each with what it is."""
    for name in every:
        yield from ((sample, webhook(sample, name)) for sample in FIELDS)
        yield "a path", odd_path(name)


def send_all(url: str, every: Sequence[str]) -> collections.Counter[str]:
    """Sends them all. Returns what became of how many, by sample and outcome."""
    def send(sent: tuple[str, dict[str, Any]]) -> str:
        answer = webhooks.send(sent[1], url)
        return f"{sent[0]} {answer.outcome or answer.status}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return collections.Counter(pool.map(send, every_webhook(every)))
