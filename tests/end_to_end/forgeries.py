"""Webhooks that are not genuine: each is a genuine one with one thing wrong."""
from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import uuid
from dataclasses import replace
from typing import Callable

from .deliveries import SECRET, Delivery, decision, genuine, sign

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

ALL: dict[str, Forgery] = {**IN_THE_SIGNATURE, **IN_ANOTHER_HEADER, **IN_THE_SECRET, **IN_THE_BODY}


def of(forgery: str, session_id: str) -> Delivery:
    """A forged approval of that session."""
    return ALL[forgery](genuine(decision(session_id)))
