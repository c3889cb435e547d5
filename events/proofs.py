"""How each provider proves its webhooks: a class a provider, with the same two functions.

`accepts` tells whether credentials have the form that Verdict takes. `prove` puts the proof into an API Gateway event,
or spoils it in the way that `proof` names; of the event and its body nothing else changes. `entries` takes the
credentials apart, entry by entry, for `probes`: harmless deliveries that show whether each one works. `PATHS` are the
provider's own, as regular expressions.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import re
import secrets
import time
import urllib.parse
from typing import Any, Iterator, Protocol

# The secret behind whatever is forged: nobody's.
FORGER = "the-secret-of-nobody"


def body_of(event: dict[str, Any]) -> bytes:
    """The body's bytes, as the provider sent them."""
    return base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode("utf-8")


def with_body(event: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The event with another body, not yet proved."""
    text = base64.b64encode(body).decode("ascii") if event["isBase64Encoded"] else body.decode("utf-8")
    return {**event, "body": text}


def with_headers(event: dict[str, Any], *, without: set[str], plus: dict[str, Any]) -> dict[str, Any]:
    """The event with some headers taken out and others put in, by name."""
    kept = {name: value for name, value in event["headers"].items() if name not in without}
    return {**event, "headers": dict(sorted({**kept, **plus}.items()))}


class Provider(Protocol):
    """The part that the classes of all providers have."""

    KINDS: tuple[str, ...]
    PROBE_PATH: str
    PATHS: tuple[str, ...]

    @staticmethod
    def accepts(keys: dict[str, Any]) -> bool:
        """Whether the credentials have the form that Verdict takes."""

    @staticmethod
    def entries(keys: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The credentials with one entry of each list, by a label that says which."""

    @classmethod
    def prove(cls, event: dict[str, Any], keys: dict[str, Any], proof: str) -> dict[str, Any]:
        """The event, proved in the way that `proof` names."""


class Veriff(Provider):
    """Hex HMAC-SHA256 over the body, keyed with the shared secret as it is written, in a header.

    Kinds: genuine, upper-case, forged, missing.
    """

    KINDS = ("genuine", "upper-case", "forged", "missing")
    PATHS = ("/veriff/events", "/veriff/decisions")
    PROBE_PATH = "/veriff/decisions"

    @staticmethod
    def accepts(keys: dict[str, Any]) -> bool:
        return texts(keys.get("secrets")) and header_values(keys.get("apiKeys", ["optional"]))

    @staticmethod
    def entries(keys: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        return each_alone(keys, "secrets", "apiKeys")

    @staticmethod
    def signature(secret: str, body: bytes) -> str:
        return hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()

    @classmethod
    def prove(cls, event: dict[str, Any], keys: dict[str, Any], proof: str) -> dict[str, Any]:
        # Veriff has two names for each header: the sample's own choice stays.
        prefix = "vrf" if "vrf-auth-client" in event["headers"] else "x"
        plus = {}
        if proof != "missing":
            signature = cls.signature(FORGER if proof == "forged" else keys["secrets"][0], body_of(event))
            plus[f"{prefix}-hmac-signature"] = signature.upper() if proof == "upper-case" else signature
        if keys.get("apiKeys"):
            plus[f"{prefix}-auth-client"] = keys["apiKeys"][0]
        return with_headers(event, without={f"{prefix}-hmac-signature"}, plus=plus)


class Incode(Provider):
    """Every configured header; and, where OAuth is configured, a bearer token of Verdict's own token endpoint.

    Kinds: genuine, missing (neither of the two), {missing,wrong}-header, {missing,wrong,expired}-bearer.
    """

    KINDS = ("genuine", "missing", "missing-header", "wrong-header",
             "missing-bearer", "wrong-bearer", "expired-bearer")
    # Those whose bearer token is right: there the token endpoint's can take its place.
    BEARING = ("genuine", "missing-header", "wrong-header")
    TOKEN_PATH = "/incode/oauth/token"
    PATHS = ("/incode/[^/]+",)
    PROBE_PATH = "/incode/onboarding-status"

    # In Unix seconds. The samples' tokens never change, so that the files don't. A function takes no token that is good for
    # longer than a day, so `sign` and `send` put a fresh one in its place.
    ISSUED_AT, EXPIRED_AT, EXPIRES_AT = 1767225600, 1767229200, 4102444800
    # How long a fresh token is good for, since it may be signed with a real key: as long as two clocks may differ.
    FRESH_SECONDS = 300

    @staticmethod
    def accepts(keys: dict[str, Any]) -> bool:
        headers, oauth = keys.get("headers", {}), keys.get("oauth", {})
        return (keys.keys() & {"headers", "oauth"} != set()
                and ("headers" not in keys or secret_headers(headers))
                and ("oauth" not in keys or (isinstance(oauth, dict) and texts(oauth.get("signingKeys"))
                                              and logins(oauth.get("clients"), "id", "secret"))))

    @staticmethod
    def entries(keys: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from each_header_alone(keys)
        oauth = keys.get("oauth", {"clients": []})
        for client, one_client in each_alone(oauth, "clients"):
            for key, one_of_each in each_alone(one_client, "signingKeys"):
                yield f"oauth.{client}, oauth.{key}", {**keys, "oauth": one_of_each}

    @classmethod
    def prove(cls, event: dict[str, Any], keys: dict[str, Any], proof: str) -> dict[str, Any]:
        plus = {}
        if proof not in ("missing", "missing-header"):
            for name, values in keys.get("headers", {}).items():
                plus[name.lower()] = FORGER if proof == "wrong-header" else values[0]
        if "oauth" in keys and proof not in ("missing", "missing-bearer"):
            key = FORGER if proof == "wrong-bearer" else keys["oauth"]["signingKeys"][0]
            expires_at = cls.EXPIRED_AT if proof == "expired-bearer" else cls.EXPIRES_AT
            plus["authorization"] = f"Bearer {cls.token(key, keys['oauth']['clients'][0]['id'], expires_at)}"
        # The first is what the local credentials name: it shall not stay where others are configured.
        return with_headers(event, without={"x-incode-secret", "authorization"}, plus=plus)

    @classmethod
    def token(
            cls, key: str, client: str, expires_at: int, issued_at: int = ISSUED_AT, key_id: str = "samples") -> str:
        """A token as the token endpoint makes it: a JWT, HS256."""
        claims = {"iss": "verdict", "aud": "incode-webhooks", "sub": client, "iat": issued_at, "exp": expires_at}
        parts = ({"alg": "HS256", "typ": "JWT", "kid": key_id}, claims)
        signed = b".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        return b".".join([signed, base64url(hmac.digest(key.encode("utf-8"), signed, "sha256"))]).decode("ascii")

    @classmethod
    def fresh_token(cls, oauth: dict[str, Any]) -> str:
        """A token for the first client, signed with the first key as the token endpoint signs, good for five minutes."""
        key, now = oauth["signingKeys"][0], int(time.time())
        key_id = hashlib.sha256(key.encode("utf-8")).hexdigest()[:8]
        return cls.token(key, oauth["clients"][0]["id"], now + cls.FRESH_SECONDS, now, key_id)


class Treezor(Provider):
    """Base64 HMAC-SHA256 over `object_payload` alone, in the body beside it; and the URL's token, where there is one.

    Kinds: genuine (over the payload as PHP writes it), raw (as it stands), forged, malformed, unsigned (the token
    alone), {missing,wrong}-token. A body without a place for the signature stays unsigned.
    """

    KINDS = ("genuine", "raw", "forged", "malformed", "unsigned", "missing-token", "wrong-token")
    PATHS = ("/treezor",)
    PROBE_PATH = "/treezor"
    SIGNATURE = re.compile(r'"object_payload_signature"\s*:\s*("(?:[^"\\]|\\.)*")')
    PAYLOAD = re.compile(r'"object_payload"\s*:\s*')

    @staticmethod
    def accepts(keys: dict[str, Any]) -> bool:
        return texts(keys.get("secrets")) and texts(keys.get("urlTokens", ["optional"]))

    @staticmethod
    def entries(keys: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        return each_alone(keys, "secrets", "urlTokens")

    @classmethod
    def prove(cls, event: dict[str, Any], keys: dict[str, Any], proof: str) -> dict[str, Any]:
        tokens = {"missing-token": [], "wrong-token": [FORGER]}.get(proof, keys.get("urlTokens", []))
        event = with_query(event, {"token": tokens[0]} if tokens else {})
        envelope = body_of(event).decode("utf-8")
        place = cls.SIGNATURE.search(envelope)
        if place is None:
            return event
        payload = cls.payload(envelope)
        message = payload if proof == "raw" else php_json(payload)
        secret = FORGER if proof == "forged" else keys["secrets"][0]
        digest = hmac.digest(secret.encode("utf-8"), message.encode("utf-8"), "sha256")
        signature = digest.hex() if proof == "malformed" else base64.b64encode(digest).decode("ascii")
        # Whoever wrote the payload wrote the signature too.
        written = json.dumps(signature) if proof == "raw" else php_string(signature)
        return with_body(event, (envelope[:place.start(1)] + written + envelope[place.end(1):]).encode("utf-8"))

    @classmethod
    def payload(cls, envelope: str) -> str:
        """The payload's text, exactly as it stands in the body."""
        begin = cls.PAYLOAD.search(envelope).end()  # type: ignore[union-attr]  # an envelope has a payload
        return envelope[begin:json.JSONDecoder().raw_decode(envelope, begin)[1]]


class Wultra(Provider):
    """HTTP Basic, where a login is configured, and every configured header.

    Kinds: genuine, missing (neither of the two), wrong-password, other-scheme.
    """

    KINDS = ("genuine", "missing", "wrong-password", "other-scheme")
    PATHS = ("/wultra/process/event",)
    PROBE_PATH = "/wultra/process/event"

    @staticmethod
    def accepts(keys: dict[str, Any]) -> bool:
        return (keys.keys() & {"basic", "headers"} != set()
                and ("basic" not in keys or logins(keys["basic"], "username", "password"))
                and ("headers" not in keys or secret_headers(keys["headers"])))

    @staticmethod
    def entries(keys: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        return itertools.chain(each_alone(keys, "basic"), each_header_alone(keys))

    @classmethod
    def prove(cls, event: dict[str, Any], keys: dict[str, Any], proof: str) -> dict[str, Any]:
        plus = {}
        if proof != "missing":
            plus = {name.lower(): values[0] for name, values in keys.get("headers", {}).items()}
            for login in keys.get("basic", [])[:1]:
                password = FORGER if proof == "wrong-password" else login["password"]
                scheme = "Bearer" if proof == "other-scheme" else "Basic"
                plus["authorization"] = f"{scheme} {basic(login['username'], password)}"
        return with_headers(event, without={"authorization"}, plus=plus)


# The one list of providers: everything else in Python folds over it.
PROOFS: dict[str, type[Provider]] = {"veriff": Veriff, "incode": Incode, "treezor": Treezor, "wultra": Wultra}
PROVIDERS = tuple(PROOFS)


def probes(provider: str, credentials: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A probe for each entry of a provider's credentials, proved with it and the first entry of each other list.

    Each has a label that names the entry by its place, never by its value. The request has `path`, `query`, `headers`
    and `body`, and is to be posted to the API.
    """
    entries = itertools.chain(PROOFS[provider].entries(credentials), each_header_alone(credentials, "edgeHeader"))
    return [(label, probe(provider, keys)) for label, keys in entries]


def probe(provider: str, keys: dict[str, Any]) -> dict[str, Any]:
    """A probe that is proved with the first entry of each list. Verdict stores nothing of it."""
    content: dict[str, Any] = {"verdictProbe": secrets.token_hex(16)}
    if provider == "treezor":
        content = {"webhook": "verdict.probe", "object_payload": content, "object_payload_signature": ""}
    event = {"headers": {"content-type": "application/json"}, "rawQueryString": "",
             "body": json.dumps(content, separators=(",", ":")), "isBase64Encoded": False}
    edge = {name.lower(): values[0] for name, values in keys.get("edgeHeader", {}).items()}
    event = with_headers(PROOFS[provider].prove(event, keys, "genuine"), without=set(), plus=edge)
    if "oauth" in keys:
        bearer = f"Bearer {Incode.fresh_token(keys['oauth'])}"
        event = with_headers(event, without=set(), plus={"authorization": bearer})
    return {"path": PROOFS[provider].PROBE_PATH, "query": event["rawQueryString"], "headers": event["headers"],
            "body": event["body"]}


def each_alone(keys: dict[str, Any], *members: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The keys with each entry of these lists as the only one of its list; before them the entry's place."""
    for member in members:
        for position, entry in enumerate(keys.get(member, []), 1):
            yield f"{member} entry {position}", {**keys, member: [entry]}


def each_header_alone(keys: dict[str, Any], member: str = "headers") -> Iterator[tuple[str, dict[str, Any]]]:
    """The same for each value of each header. A header is also named by its place, in case its name is a secret."""
    headers = keys.get(member, {})
    for place, (name, values) in enumerate(headers.items(), 1):
        for position, value in enumerate(values, 1):
            yield f"{member} {place} entry {position}", {**keys, member: {**headers, name: [value]}}


def with_query(event: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The event with these parameters and no others in its URL."""
    event = {**event, "rawQueryString": urllib.parse.urlencode(parameters), "queryStringParameters": parameters}
    if not parameters:  # then the gateway leaves the member out
        del event["queryStringParameters"]
    return event


PHP_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def php_json(text: str) -> str:
    """JSON text as PHP's `json_encode` writes it: other white space and escapes; numbers and order stay as spelled."""
    def token(found: re.Match[str]) -> str:
        return php_string(json.loads(found[0], strict=False)) if found[0].startswith('"') else ""

    return re.sub(r'[ \t\r\n]+|"(?:[^"\\]|\\.)*"', token, text, flags=re.DOTALL)


def php_string(text: str) -> str:
    def character(char: str) -> str:
        if char in PHP_ESCAPES or " " <= char <= "\x7f":
            return PHP_ESCAPES.get(char, char)
        units = char.encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

    return '"' + "".join(map(character, text)) + '"'


def basic(username: str, password: str) -> str:
    """What follows the scheme `Basic`."""
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def texts(entries: Any) -> bool:
    """Whether it is a list of texts that can be secrets: one at least, each something to see."""
    return isinstance(entries, list) and entries != [] and all(map(is_text, entries))


def header_values(entries: Any) -> bool:
    """Whether it is such a list, of texts that a header can carry."""
    return texts(entries) and all(map(str.isascii, entries))


def is_text(entry: Any) -> bool:
    return isinstance(entry, str) and entry.strip() != "" and entry.isprintable()


def logins(entries: Any, name: str, password: str) -> bool:
    """Whether it is a list of names and passwords, under these two members."""
    return isinstance(entries, list) and entries != [] and all(
        isinstance(entry, dict) and is_text(entry.get(name)) and is_text(entry.get(password)) for entry in entries)


def secret_headers(headers: Any) -> bool:
    """Whether it holds values by the name of a header, both such as HTTP can carry."""
    return isinstance(headers, dict) and headers != {} and all(
        re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) and header_values(values)
        for name, values in headers.items())
