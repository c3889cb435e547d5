"""Webhooks that are not genuine: each is a genuine one with one thing wrong."""
from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import replace
from typing import Any, Callable, Optional

from stack.deployment import webhooks

from .deliveries import (
    INCODE, SECRET, TREEZOR, VERIFF, WULTRA, Delivery, Sender, decision, envelope, genuine, sign, treezor_signature,
    with_token,
)

Forgery = Callable[[Delivery], Delivery]

SIGNATURE, ALIAS = "x-hmac-signature", "vrf-hmac-signature"
#: A well-formed signature that nobody made.
WRONG = "5" * 64


def signature(spoil: Callable[[str], str | bytes]) -> Forgery:
    """Another text in the place of the right signature, made from it."""
    return lambda delivery: delivery.but(SIGNATURE, spoil(delivery.signature))


def proof(make: Callable[[bytes], str]) -> Forgery:
    """Something else than the right signature, made from the body."""
    return lambda delivery: delivery.but(SIGNATURE, make(delivery.body))


def secret(key: str | bytes) -> Forgery:
    """The right signature, with another key."""
    key = key if isinstance(key, bytes) else key.encode()
    return proof(lambda body: hmac.new(key, body, hashlib.sha256).hexdigest())


def body(change: Callable[[bytes], bytes]) -> Forgery:
    """Another body under the signature of the right one."""
    return lambda delivery: replace(delivery, body=change(delivery.body))


def headers(*more: tuple[str, str]) -> Forgery:
    """More headers, no signature among them that holds."""
    return lambda delivery: delivery.without(SIGNATURE).plus(*more)


def doubled(first: str | None, second: str | None, second_name: str = SIGNATURE) -> Forgery:
    """Two signature headers; None is the right signature."""
    return lambda delivery: delivery.without(SIGNATURE).plus(
        (SIGNATURE, first or delivery.signature), (second_name, second or delivery.signature))


def flip(bit: int) -> Callable[[bytes], bytes]:
    def flipped(content: bytes) -> bytes:
        spoiled = bytearray(content)
        spoiled[bit // 8] ^= 1 << bit % 8
        return bytes(spoiled)
    return flipped


def flip_digest(bit: int) -> Forgery:
    return signature(lambda text: flip(bit)(bytes.fromhex(text)).hex())


def keyed(algorithm: str) -> Forgery:
    return proof(lambda content: hmac.new(SECRET.encode(), content, algorithm).hexdigest())


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def session_of(content: bytes) -> str:
    return json.loads(content)["verification"]["id"]


def middle_flipped(content: bytes) -> bytes:
    return flip(len(content) * 4)(content)


IN_THE_SIGNATURE = {
    "signature missing": lambda delivery: delivery.without(SIGNATURE),
    "signature empty": signature(lambda text: ""),
    "signature only white space": signature(lambda text: " \t "),
    "signature one digit short": signature(lambda text: text[:-1]),
    "signature one digit long": signature(lambda text: text + "0"),
    "signature cut to 8 digits": signature(lambda text: text[:8]),
    "signature cut to 32 digits": signature(lambda text: text[:32]),
    "signature cut to 62 digits": signature(lambda text: text[:62]),
    "signature with a tail": signature(lambda text: text + "00ff"),
    "signature twice in one value": signature(lambda text: text + text),
    "signature with a space inside": signature(lambda text: text[:32] + " " + text[32:]),
    "signature in quotes": signature(lambda text: f'"{text}"'),
    "signature after sha256=": signature(lambda text: f"sha256={text}"),
    "signature after 0x": signature(lambda text: f"0x{text}"),
    "signature after 0x, of the right length": signature(lambda text: f"0x{text[2:]}"),
    "signature with a + before its first digit": signature(lambda text: f"+{text[1:]}"),
    "first digit not hex": signature(lambda text: f"g{text[1:]}"),
    "32nd digit not hex": signature(lambda text: f"{text[:31]}:{text[32:]}"),
    "last digit not hex": signature(lambda text: f"{text[:-1]}G"),
    "full-width digits": signature(lambda text: "".join(chr(0xFEE0 + ord(digit)) for digit in text)),
    "one full-width digit, 64 bytes in all": signature(lambda text: "０" + text[3:]),
    "Cyrillic homoglyphs": signature(lambda text: text.translate(str.maketrans("ace", "асе")) + "с"),
    "bytes beyond ASCII": signature(lambda text: b"\xff\xfe" * 32),
    "right digits, then a byte beyond ASCII": signature(lambda text: text.encode() + b"\xff"),
    "base64 of the right digest": signature(lambda text: base64.b64encode(bytes.fromhex(text)).decode()),
    "URL-safe base64 of the right digest": signature(
        lambda text: base64.urlsafe_b64encode(bytes.fromhex(text)).decode()),
    "the right digest backwards": signature(lambda text: bytes.fromhex(text)[::-1].hex()),
    "all zeros": signature(lambda text: "0" * 64),
    "all ones": signature(lambda text: "f" * 64),
    "first bit flipped": flip_digest(7),
    "middle bit flipped": flip_digest(128),
    "last bit flipped": flip_digest(248),
    "HMAC-MD5": keyed("md5"),
    "HMAC-SHA-1": keyed("sha1"),
    "HMAC-SHA-512": keyed("sha512"),
    "HMAC-SHA-512 cut to 64 digits": proof(
        lambda content: hmac.new(SECRET.encode(), content, "sha512").hexdigest()[:64]),
    "HMAC-SHA3-256": keyed("sha3_256"),
    "SHA-256 of the body alone": proof(sha256),
    "SHA-256 of body and secret": proof(lambda content: sha256(content, SECRET.encode())),
    "SHA-256 of secret and body": proof(lambda content: sha256(SECRET.encode(), content)),
    "signature of nothing": proof(lambda content: sign(b"")),
    "signature of the session id, as Veriff's API takes": proof(
        lambda content: sign(session_of(content).encode())),
    "signature of path and body": proof(lambda content: sign(b"/veriff/decisions" + content)),
    "signature of the body's digest": proof(lambda content: sign(sha256(content).encode())),
    "signature of the body in base64": proof(lambda content: sign(base64.b64encode(content))),
    "signature of another webhook": proof(lambda content: sign(b"{}")),
    "8 KB of signature": signature(lambda text: text * 128),
    "a hundred signatures, the right one last": signature(lambda text: ",".join([WRONG] * 99 + [text])),
    "two in one value, the right one first": signature(lambda text: f"{text},{WRONG}"),
    "two in one value, the right one last": signature(lambda text: f"{WRONG}, {text}"),
    "two headers, the right one first": doubled(None, WRONG),
    "two headers, the right one last": doubled(WRONG, None),
    "two headers, both right": doubled(None, None),
    "two headers that differ in case, the right one first": doubled(None, WRONG, "X-Hmac-Signature"),
    "an empty header before the right one": doubled(" ", None),
    "the alias wrong, beside a right signature": doubled(None, WRONG, ALIAS),
    "the alias right, beside a wrong signature": doubled(WRONG, None, ALIAS),
    "the alias empty, beside a right signature": doubled(None, " ", ALIAS),
    "the alias alone, wrong": headers((ALIAS, WRONG)),
}

IN_ANOTHER_HEADER = {
    "legacy signature alone": lambda delivery: delivery.without(SIGNATURE).plus(
        ("x-signature", sha256(delivery.body, SECRET.encode()))),
    "legacy signature beside a wrong one": lambda delivery: delivery.but(SIGNATURE, WRONG).plus(
        ("x-signature", sha256(delivery.body, SECRET.encode()))),
    "right signature under the legacy name": lambda delivery: delivery.without(SIGNATURE).plus(
        ("x-signature", delivery.signature)),
    "right signature with underscores in the name": lambda delivery: delivery.without(SIGNATURE).plus(
        ("x_hmac_signature", delivery.signature)),
    "right signature as a bearer token": lambda delivery: delivery.without(SIGNATURE).plus(
        ("authorization", f"Bearer {delivery.signature}")),
    "right signature as a cookie": lambda delivery: delivery.without(SIGNATURE).plus(
        ("cookie", f"{SIGNATURE}={delivery.signature}")),
    "right signature in the query": lambda delivery: replace(
        delivery.without(SIGNATURE), path=f"{delivery.path}?{SIGNATURE}={delivery.signature}"),
    "two API keys that disagree": lambda delivery: delivery.plus(("x-auth-client", "one"), ("vrf-auth-client", "two")),
    "two API keys under one name": lambda delivery: replace(
        delivery.but(SIGNATURE, WRONG), headers=(("x-auth-client", "one"), ("x-auth-client", "two"))),
    "a method in a header": lambda delivery: delivery.but(SIGNATURE, WRONG).plus(("x-http-method-override", "GET")),
}

IN_THE_SECRET = {
    "secret empty": secret(""),
    "secret upper-case": secret(SECRET.upper()),
    "secret without its dashes": secret(SECRET.replace("-", "")),
    "secret decoded as the UUID that it looks like": secret(uuid.UUID(SECRET).bytes),
    "secret with a line end": secret(SECRET + "\n"),
    "secret with a space": secret(" " + SECRET),
    "secret in quotes": secret(f'"{SECRET}"'),
    "secret cut short": secret(SECRET[:-1]),
    "secret of another integration": secret("0b7a39c1-5d1e-4a86-9c7b-2f60b1f0a0de"),
    "API key for a secret": secret("871e8af2-e611-482b-a6d1-261524bfb6a7"),
    "the whole credentials for a secret": secret(json.dumps({"secrets": [SECRET]})),
}

IN_THE_BODY = {
    "first bit of the body flipped": body(flip(0)),
    "middle bit of the body flipped": body(middle_flipped),
    "last bit of the body flipped": lambda delivery: body(flip(len(delivery.body) * 8 - 1))(delivery),
    "line end after the body": body(lambda content: content + b"\n"),
    "space before the body": body(lambda content: b" " + content),
    "NUL after the body": body(lambda content: content + b"\0"),
    "byte order mark before the body": body(lambda content: b"\xef\xbb\xbf" + content),
    "body in UTF-16": body(lambda content: content.decode().encode("utf-16")),
    "body with another session's id": body(
        lambda content: content.replace(session_of(content).encode(), str(uuid.uuid4()).encode())),
    "body with another status": body(lambda content: content.replace(b"approved", b"declined")),
    "body written without spaces": body(
        lambda content: json.dumps(json.loads(content), separators=(",", ":")).encode()),
    "body with its members sorted": body(lambda content: json.dumps(json.loads(content), sort_keys=True).encode()),
    "body with a letter escaped": body(lambda content: content.replace(b"approved", b"\\u0061pproved")),
    "body cut short": body(lambda content: content[:-1]),
    "body empty": body(lambda content: b""),
    "body twice": body(lambda content: content + content),
    "body in base64": body(base64.b64encode),
    "body zipped": lambda delivery: body(gzip.compress)(delivery).plus(("content-encoding", "gzip")),
    # The gateway puts U+FFFD in the place of a byte that is not UTF-8: what arrives is not what was signed.
    "a byte that is no text, rightly signed": lambda delivery: genuine(
        delivery.body.replace(b"customer-1", b"customer-\xff")),
}

OF_VERIFF = {**IN_THE_SIGNATURE, **IN_ANOTHER_HEADER, **IN_THE_SECRET, **IN_THE_BODY}


# ---- Whoever shows a secret in a header: Incode, Wultra ----

def header(name: str, spoil: Callable[[str], str | bytes]) -> Forgery:
    """Another value of a header, made from the right one."""
    return lambda delivery: delivery.but(name, spoil(delivery.header(name)))


def missing(name: str) -> Forgery:
    return lambda delivery: delivery.without(name)


def moved(name: str, other: str, spoil: Callable[[str], str] = str) -> Forgery:
    """The right value under another name."""
    return lambda delivery: delivery.without(name).plus((other, spoil(delivery.header(name))))


def in_the_query(name: str) -> Forgery:
    return lambda delivery: replace(
        delivery.without(name), path=f"{delivery.path}?{name}={delivery.header(name).replace(' ', '%20')}")


def doubled_header(name: str, first: Optional[str], second: Optional[str], second_name: str = "") -> Forgery:
    """Two headers; None is the right value."""
    return lambda delivery: delivery.without(name).plus(
        (name, first or delivery.header(name)), (second_name or name, second or delivery.header(name)))


def shown_in(name: str, wrong: str) -> dict[str, Forgery]:
    """What can be wrong with any header that shows a secret."""
    return {
        f"{name} missing": missing(name),
        f"{name} empty": header(name, lambda text: ""),
        f"{name} only white space": header(name, lambda text: " \t "),
        f"{name} of another": header(name, lambda text: wrong),
        f"{name} cut short": header(name, lambda text: text[:-1]),
        f"{name} and more": header(name, lambda text: text + "x"),
        f"{name} twice in one value": header(name, lambda text: f"{text}, {text}"),
        f"{name} beside a wrong one in one value": header(name, lambda text: f"{text},{wrong}"),
        f"{name} in quotes": header(name, lambda text: f'"{text}"'),
        f"{name} upper-case": header(name, str.upper),
        f"{name} with a byte beyond ASCII": header(name, lambda text: text.encode() + b"\xff"),
        f"{name} with full-width letters": header(
            name, lambda text: text[:-4] + "".join(chr(0xFEE0 + ord(letter)) for letter in text[-4:])),
        f"{name} of eight kilobytes": header(name, lambda text: text * (8192 // len(text))),
        f"{name} under another name": moved(name, f"x-forwarded-{name}"),
        f"{name} with underscores in its name": moved(name, name.replace("-", "_") if "-" in name else f"{name}_"),
        f"{name} as a cookie": moved(name, "cookie", lambda text: f"{name}={text}"),
        f"{name} in the query": in_the_query(name),
        f"{name} twice, both right": doubled_header(name, None, None),
        f"{name} twice, the right one first": doubled_header(name, None, wrong),
        f"{name} twice, the right one last": doubled_header(name, wrong, None),
        f"{name} twice in different case": doubled_header(name, None, wrong, name.title()),
    }


AUTHORIZATION = "authorization"
INCODE_KEYS = INCODE.keys


def bearer(key: Optional[str] = None, *, algorithm: str = "HS256", **changed: Any) -> Forgery:
    """A token with something else in it than in the right one; with nothing else, it is right."""
    oauth = INCODE_KEYS["oauth"]
    key = oauth["signingKeys"][0] if key is None else key

    def forged(_: str) -> str:
        now = int(time.time())
        claims = {"iss": "verdict", "aud": "incode-webhooks", "sub": oauth["clients"][0]["id"], "iat": now,
                  "exp": now + webhooks.Incode.FRESH_SECONDS, **changed}
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims))
        made = "" if algorithm == "none" else base64url(hmac.digest(key.encode(), signed.encode(), {
            "HS256": "sha256", "HS512": "sha512"}[algorithm]))
        return f"Bearer {signed}.{made}"

    return header(AUTHORIZATION, forged)


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


OF_INCODE = {
    **shown_in("x-incode-secret", "somebody-elses-header-secret-0123456789"),
    **shown_in(AUTHORIZATION, "Bearer e30.e30.e30"),
    "neither": lambda delivery: delivery.without("x-incode-secret").without(AUTHORIZATION),
    "one in the place of the other": lambda delivery: delivery.but(
        "x-incode-secret", delivery.header(AUTHORIZATION)).but(
        AUTHORIZATION, "Bearer " + delivery.header("x-incode-secret")),
    "the client's secret for a token": header(
        AUTHORIZATION, lambda text: "Bearer " + INCODE_KEYS["oauth"]["clients"][0]["secret"]),
    "the client's login for a token": header(AUTHORIZATION, lambda text: "Basic " + webhooks.basic(
        INCODE_KEYS["oauth"]["clients"][0]["id"], INCODE_KEYS["oauth"]["clients"][0]["secret"])),
    "the signing key for a token": header(
        AUTHORIZATION, lambda text: "Bearer " + INCODE_KEYS["oauth"]["signingKeys"][0]),
    "no scheme": header(AUTHORIZATION, lambda text: text.removeprefix("Bearer ")),
    "another scheme": header(AUTHORIZATION, lambda text: text.replace("Bearer", "Token")),
    "a token of another key": bearer("somebody-elses-signing-key-0123456789"),
    "a token of the client's secret": bearer(INCODE_KEYS["oauth"]["clients"][0]["secret"]),
    "a token of the empty key": bearer(""),
    "a token without signature": bearer(algorithm="none"),
    "a token of another algorithm": bearer(algorithm="HS512"),
    "a token that has expired": bearer(iat=webhooks.Incode.ISSUED_AT, exp=webhooks.Incode.EXPIRED_AT),
    "a token without end": bearer(exp=None),
    "a token for a lifetime": bearer(exp=webhooks.Incode.EXPIRES_AT),
    "a token from the future": bearer(iat=webhooks.Incode.EXPIRES_AT - 300, exp=webhooks.Incode.EXPIRES_AT),
    "a token for another audience": bearer(aud="another"),
    "a token of another issuer": bearer(iss="another"),
    "a token of another client": bearer(sub="another"),
    "a token of nobody": bearer(sub=None),
}


def login(spoil: Callable[[str, str], str]) -> Forgery:
    """Another name and password, made from the right ones."""
    [right] = WULTRA.keys["basic"]
    shown = base64.b64encode(spoil(right["username"], right["password"]).encode()).decode()
    return header(AUTHORIZATION, lambda text: f"Basic {shown}")


OF_WULTRA = {
    # Its alphabet has both cases.
    **shown_in(AUTHORIZATION, "Basic " + webhooks.basic("wultra", "the-password-of-nobody")),
    "another password": login(lambda name, password: f"{name}:{password[::-1]}"),
    "another name": login(lambda name, password: f"another:{password}"),
    "name in capitals": login(lambda name, password: f"{name.upper()}:{password}"),
    "password in capitals": login(lambda name, password: f"{name}:{password.upper()}"),
    "no password": login(lambda name, password: f"{name}:"),
    "no name": login(lambda name, password: f":{password}"),
    "no colon": login(lambda name, password: name + password),
    "password before name": login(lambda name, password: f"{password}:{name}"),
    "password with a line end": login(lambda name, password: f"{name}:{password}\n"),
    "password with a space": login(lambda name, password: f"{name}: {password}"),
    "password with NUL": login(lambda name, password: f"{name}:{password}\0"),
    "name with a space": login(lambda name, password: f" {name}:{password}"),
    "nothing but a colon": login(lambda name, password: ":"),
    "nothing": login(lambda name, password: ""),
    "the login unencoded": header(AUTHORIZATION, lambda text: "Basic wultra:" + WULTRA.keys["basic"][0]["password"]),
    "the password alone": header(AUTHORIZATION, lambda text: "Basic " + WULTRA.keys["basic"][0]["password"]),
    "the login encoded twice": header(
        AUTHORIZATION, lambda text: "Basic " + base64.b64encode(text[len("Basic "):].encode()).decode()),
    "no scheme": header(AUTHORIZATION, lambda text: text[len("Basic "):]),
    "the scheme alone": header(AUTHORIZATION, lambda text: "Basic"),
    "Bearer": header(AUTHORIZATION, lambda text: text.replace("Basic", "Bearer")),
    "Digest": header(AUTHORIZATION, lambda text: text.replace("Basic", "Digest")),
    "a proxy's": moved(AUTHORIZATION, "proxy-authorization"),
    "a scheme with a homoglyph": header(AUTHORIZATION, lambda text: text.replace("a", "а", 1)),
}


# ---- Treezor's, whose signature is in the body ----

def payload_of(delivery: Delivery) -> bytes:
    envelope_text = delivery.body.decode()
    begin = envelope_text.index('"object_payload":') + len('"object_payload":')
    return envelope_text[begin:json.JSONDecoder().raw_decode(envelope_text, begin)[1]].encode()


def in_place_of_signature(make: Callable[[bytes], Optional[str]]) -> Forgery:
    """What is made from the payload, or nothing, in the place of the right signature."""
    return lambda delivery: replace(delivery, body=envelope(payload_of(delivery), make(payload_of(delivery))))


def spoiled(spoil: Callable[[str], str]) -> Forgery:
    """Another text in the place of the right signature, made from it."""
    return in_place_of_signature(lambda payload: spoil(treezor_signature(payload)))


def other_digest(make: Callable[[bytes], bytes]) -> Forgery:
    return in_place_of_signature(lambda payload: base64.b64encode(make(payload)).decode())


def other_payload(change: Callable[[bytes], bytes]) -> Forgery:
    """Another payload under the signature of the right one."""
    return lambda delivery: replace(
        delivery, body=envelope(change(payload_of(delivery)), treezor_signature(payload_of(delivery))))


def written_in(change: Callable[[bytes], bytes]) -> Forgery:
    """Another envelope around the right payload and signature."""
    return lambda delivery: replace(delivery, body=change(delivery.body))


TREEZOR_SECRET, TREEZOR_TOKEN = TREEZOR.keys["secrets"][0], TREEZOR.keys["urlTokens"][0]

OF_TREEZOR = {
    "no token": with_token,
    "empty token": lambda delivery: with_token(delivery, ""),
    "another token": lambda delivery: with_token(delivery, "the-url-token-of-nobody-0123456789"),
    "token cut short": lambda delivery: with_token(delivery, TREEZOR_TOKEN[:-1]),
    "token in capitals": lambda delivery: with_token(delivery, TREEZOR_TOKEN.upper()),
    "token twice": lambda delivery: with_token(delivery, TREEZOR_TOKEN, TREEZOR_TOKEN),
    "right token before another": lambda delivery: with_token(delivery, TREEZOR_TOKEN, "x"),
    "right token after another": lambda delivery: with_token(delivery, "x", TREEZOR_TOKEN),
    "token in a header": lambda delivery: with_token(delivery).plus(("token", TREEZOR_TOKEN)),
    "token as a bearer": lambda delivery: with_token(delivery).plus(("authorization", f"Bearer {TREEZOR_TOKEN}")),
    "token as a cookie": lambda delivery: with_token(delivery).plus(("cookie", f"token={TREEZOR_TOKEN}")),
    "token under another name": lambda delivery: replace(delivery, path=f"/treezor?Token={TREEZOR_TOKEN}"),
    "the secret for a token": lambda delivery: with_token(delivery, TREEZOR_SECRET),
    "signature missing": in_place_of_signature(lambda payload: None),
    "signature empty": spoiled(lambda text: ""),
    "signature blank": spoiled(lambda text: " "),
    "signature null": written_in(lambda content: content.replace(
        json.dumps(treezor_signature(payload_of(Delivery(content, ())))).encode(), b"null")),
    "signature in a list": written_in(lambda content: content.replace(
        b'"object_payload_signature":', b'"object_payload_signature":[')[:-1] + b"]}"),
    "signature cut short": spoiled(lambda text: text[:-1]),
    "signature without padding": spoiled(lambda text: text.rstrip("=")),
    "signature with more padding": spoiled(lambda text: text + "="),
    "signature with a line end": spoiled(lambda text: text + "\n"),
    "signature with a space": spoiled(lambda text: " " + text),
    "signature twice": spoiled(lambda text: text + text),
    "signature in the URL-safe alphabet": spoiled(
        lambda text: text[:-2].translate(str.maketrans("+/", "-_")) + "_="),
    "signature in hex": spoiled(lambda text: base64.b64decode(text).hex()),
    "first bit flipped": other_digest(lambda content: flip(0)(right_digest(content))),
    "last bit flipped": other_digest(lambda content: flip(255)(right_digest(content))),
    "all zeros": other_digest(lambda content: bytes(32)),
    "HMAC-SHA-1": other_digest(lambda content: hmac.digest(TREEZOR_SECRET.encode(), content, "sha1")),
    "HMAC-SHA-512": other_digest(lambda content: hmac.digest(TREEZOR_SECRET.encode(), content, "sha512")),
    "HMAC-SHA-512 cut to length": other_digest(
        lambda content: hmac.digest(TREEZOR_SECRET.encode(), content, "sha512")[:32]),
    "SHA-256 of the payload": other_digest(lambda content: hashlib.sha256(content).digest()),
    "SHA-256 of secret and payload": other_digest(
        lambda content: hashlib.sha256(TREEZOR_SECRET.encode() + content).digest()),
    "SHA-256 of payload and secret": other_digest(
        lambda content: hashlib.sha256(content + TREEZOR_SECRET.encode()).digest()),
    "another secret": other_digest(lambda content: hmac.digest(b"the-secret-of-nobody", content, "sha256")),
    "the empty secret": other_digest(lambda content: hmac.digest(b"", content, "sha256")),
    "the token for a secret": other_digest(lambda content: hmac.digest(TREEZOR_TOKEN.encode(), content, "sha256")),
    "signature of nothing": other_digest(lambda content: right_digest(b"")),
    "signature of the whole body": other_digest(lambda content: right_digest(envelope(content))),
    "signature of a list of the payload": other_digest(lambda content: right_digest(b"[" + content + b"]")),
    "signature in a header": lambda delivery: replace(
        delivery.plus(("x-treezor-signature", treezor_signature(payload_of(delivery)))),
        body=envelope(payload_of(delivery))),
    "another review": other_payload(lambda content: content.replace(b'"kycReview":"2"', b'"kycReview":"3"')),
    "a review as a number": other_payload(lambda content: content.replace(b'"kycReview":"2"', b'"kycReview":2')),
    "another user": other_payload(lambda content: content.replace(b'"userId":"', b'"userId":"1')),
    "another order": other_payload(lambda content: json.dumps(json.loads(content), sort_keys=True).encode()),
    "one member more": other_payload(lambda content: content[:-1] + b',"x":1}'),
    "a space in a text": other_payload(lambda content: content.replace(b'"kycReview":"2"', b'"kycReview":"2 "')),
    "the payload as a text": other_payload(lambda content: json.dumps(content.decode()).encode()),
    "two payloads": written_in(lambda content: b'{"object_payload":{"users":[]},' + content[1:]),
    "two payloads, one escaped": written_in(lambda content: b'{"object_p\\u0061yload":{"users":[]},' + content[1:]),
    "two signatures": written_in(lambda content: b'{"object_payload_signature":"x",' + content[1:]),
    "two events": written_in(lambda content: b'{"webhook":"kycreview.result",' + content[1:]),
    "signature outside of what wraps": lambda delivery: replace(delivery, body=(
        b'{"webhook":' + envelope(payload_of(delivery)) + b',"object_payload_signature":'
        + json.dumps(treezor_signature(payload_of(delivery))).encode() + b"}")),
    "payload outside of what wraps": lambda delivery: replace(delivery, body=(
        b'{"object_payload":{"users":[]},"webhook":' + delivery.body + b"}")),
    "wrapped twice": written_in(lambda content: b'{"webhook":{"webhook":' + content + b"}}"),
    "an unsigned user under a review's name": lambda delivery: replace(
        delivery, body=envelope(payload_of(delivery), webhook="kycreview.result")),
    "a confirmation that holds a payload": lambda delivery: replace(
        delivery.plus(("x-amz-sns-message-type", "SubscriptionConfirmation")), body=envelope(payload_of(delivery))),
    "envelope cut short": written_in(lambda content: content[:-1]),
    "envelope twice": written_in(lambda content: content * 2),
    "envelope in a list": written_in(lambda content: b"[" + content + b"]"),
    "byte order mark": written_in(lambda content: b"\xef\xbb\xbf" + content),
    "UTF-16": written_in(lambda content: content.decode().encode("utf-16")),
    "empty body": written_in(lambda content: b""),
    "gzip": written_in(gzip.compress),
}


def right_digest(content: bytes) -> bytes:
    return hmac.digest(TREEZOR_SECRET.encode(), content, "sha256")


BY_SENDER: dict[Sender, dict[str, Forgery]] = {
    VERIFF: OF_VERIFF, INCODE: OF_INCODE, TREEZOR: OF_TREEZOR, WULTRA: OF_WULTRA}


def of(sender: Sender, forgery: str, session_id: str) -> Delivery:
    """A forged approval of that session."""
    right = genuine(decision(session_id)) if sender is VERIFF else sender.approves(session_id)
    forged = BY_SENDER[sender][forgery](right)
    assert forged != right, f"{forgery} changes nothing"
    return forged
