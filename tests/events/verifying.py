"""Each provider's proof from the receiver's side, written from the contracts and using nothing of the tool.

`kind_of` tells how an event is proved, in the catalogue's words.
"""
import base64
import hashlib
import hmac
import json
import time
import urllib.parse
from typing import Any, Optional

#: The local credentials, written out.
LOCAL: dict[str, dict[str, Any]] = {
    "veriff": {"secrets": ["abcdef12-abcd-abcd-abcd-abcdef012345"]},
    "incode": {
        "headers": {"x-incode-secret": ["local-incode-header-secret-0123456789"]},
        "oauth": {
            "clients": [{"id": "local-incode", "secret": "local-incode-client-secret-0123456789"}],
            "signingKeys": ["local-incode-signing-key-0123456789abcdef"],
            "tokenTtlSeconds": 3600,
        },
    },
    "treezor": {
        "secrets": ["local-treezor-webhook-secret-0123456789"],
        "urlTokens": ["local-treezor-url-token-0123456789abcdef"],
    },
    "wultra": {"basic": [{"username": "wultra", "password": "local-wultra-password-0123456789"}]},
}

#: Some time between the tokens' making and their end: 2026-06-13.
NOW = 1781311110


def body_bytes(event: dict[str, Any]) -> bytes:
    return base64.b64decode(event["body"], validate=True) if event["isBase64Encoded"] else event["body"].encode("utf-8")


def kind_of(provider: str, event: dict[str, Any], keys: dict[str, Any]) -> str:
    return {"veriff": veriff, "incode": incode, "treezor": treezor, "wultra": wultra}[provider](event, keys)


def veriff(event: dict[str, Any], keys: dict[str, Any]) -> str:
    signature = veriff_signature(event)
    right = hmac_sha256(keys["secrets"][0], body_bytes(event)).hex()
    if signature is None:
        return "missing"
    assert len(bytes.fromhex(signature)) == 32
    return {right: "genuine", right.upper(): "upper-case"}.get(signature, "forged")


def veriff_signature(event: dict[str, Any]) -> Optional[str]:
    return event["headers"].get("x-hmac-signature", event["headers"].get("vrf-hmac-signature"))


def incode(event: dict[str, Any], keys: dict[str, Any]) -> str:
    def header(name: str, values: list[str]) -> str:
        return state(event["headers"].get(name), values[:1])

    headers = {header(*each) for each in keys.get("headers", {}).items()} or {"right"}
    found = (*headers, bearer(event["headers"].get("authorization"), keys["oauth"]) if "oauth" in keys else "right")
    kinds: dict[tuple[str, ...], str] = {
        ("right", "right"): "genuine", ("missing", "missing"): "missing",
        ("missing", "right"): "missing-header", ("wrong", "right"): "wrong-header",
        ("right", "missing"): "missing-bearer", ("right", "wrong"): "wrong-bearer",
        ("right", "expired"): "expired-bearer",
    }
    return kinds[found]


def bearer(authorization: Optional[str], oauth: dict[str, Any]) -> str:
    """A JWT, by the letter of RFC 7519."""
    if authorization is None:
        return "missing"
    claimed = claims_under(oauth["signingKeys"][0], authorization)
    if claimed is None:
        return "wrong"
    assert claimed["sub"] == oauth["clients"][0]["id"]
    if claimed["exp"] == claimed["iat"] + 300 and abs(time.time() - claimed["iat"]) < 60:  # just made
        return "right"
    assert claimed["iat"] == 1767225600  # 2026-01-01T00:00:00Z
    if claimed["exp"] == 4102444800:  # 2100-01-01T00:00:00Z
        return "right"
    assert claimed["iat"] < claimed["exp"] < NOW
    return "expired"


def claims_under(key: str, authorization: str) -> Optional[dict[str, Any]]:
    """What the token claims, or None where another key signed it."""
    scheme, _, token = authorization.partition(" ")
    header, claims, signature = token.split(".")
    assert scheme == "Bearer" and "=" not in token
    said, claimed = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))
    assert (said["alg"], said["typ"]) == ("HS256", "JWT")
    if base64.urlsafe_b64decode(signature + "==") != hmac_sha256(key, f"{header}.{claims}".encode()):
        return None
    assert (claimed["iss"], claimed["aud"]) == ("verdict", "incode-webhooks")
    return claimed


def treezor(event: dict[str, Any], keys: dict[str, Any]) -> str:
    parameters = urllib.parse.parse_qs(event["rawQueryString"])
    token = state(parameters.pop("token", [None])[0], keys["urlTokens"][:1]) if "urlTokens" in keys else "right"
    assert parameters == {}
    if token != "right":
        assert signature_kind(event, keys) in ("genuine", "unsigned")
        return f"{token}-token"
    return signature_kind(event, keys)


def signature_kind(event: dict[str, Any], keys: dict[str, Any]) -> str:
    envelope = body_bytes(event).decode("utf-8")
    if '"object_payload_signature"' not in envelope:
        return "unsigned"
    found = json.loads(value_of("object_payload_signature", envelope))
    payload = value_of("object_payload", envelope)
    canonical, raw = (hmac_sha256(keys["secrets"][0], text.encode("utf-8")) for text in (php_form(payload), payload))
    # In this order: where both forms are one, the signature over it is the genuine one.
    written = {base64.b64encode(raw).decode(): "raw", base64.b64encode(canonical).decode(): "genuine",
               canonical.hex(): "malformed"}
    if found not in written:
        assert len(base64.b64decode(found, validate=True)) == 32
    return written.get(found, "forged")


def value_of(name: str, text: str) -> str:
    """The text of a member's value: from after its colon to where its brackets, or its string, close."""
    begin = text.index(f'"{name}"') + len(name) + 2
    begin = text.index(":", begin) + 1
    begin += len(text[begin:]) - len(text[begin:].lstrip())
    depth, in_string, at = 0, False, begin
    while True:
        char = text[at]
        if in_string:
            at += char == "\\"
            in_string = char != '"'
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        at += 1
        if depth == 0 and not in_string:
            return text[begin:at]


def flat_envelope(document: dict[str, Any]) -> dict[str, Any]:
    """Treezor's envelope, out of the one that some come wrapped in."""
    return document["webhook"] if isinstance(document.get("webhook"), dict) else document


class Spelled(str):
    """A number as it is spelled."""


def php_form(text: str) -> str:
    """What PHP's `json_encode` would have written, by way of the values."""
    return php_value(json.loads(text, parse_int=Spelled, parse_float=Spelled, object_pairs_hook=tuple))


def php_value(value: Any) -> str:
    if isinstance(value, tuple):
        return "{" + ",".join(f"{php_value(name)}:{php_value(member)}" for name, member in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(php_value, value)) + "]"
    if isinstance(value, Spelled):
        return str(value)
    if isinstance(value, str):
        literal = {"/": "\\/", "\x7f": "\x7f"}
        return '"' + "".join(literal.get(char) or json.dumps(char)[1:-1] for char in value) + '"'
    return json.dumps(value)


def wultra(event: dict[str, Any], keys: dict[str, Any]) -> str:
    found = event["headers"].get("authorization")
    if found is None:
        return "missing"
    scheme, _, login = found.partition(" ")
    username, _, password = base64.b64decode(login, validate=True).decode("utf-8").partition(":")
    assert username == keys["basic"][0]["username"]
    if scheme != "Basic":
        return "other-scheme"
    return "genuine" if password == keys["basic"][0]["password"] else "wrong-password"


def state(found: Optional[str], values: list[str]) -> str:
    return "missing" if found is None else "right" if found in values else "wrong"


def hmac_sha256(key: str, message: bytes) -> bytes:
    return hmac.new(key.encode("utf-8"), message, hashlib.sha256).digest()
