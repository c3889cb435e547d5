#!/usr/bin/env python3
"""Writes treezor.json: deliveries that Treezor's proof has to accept or refuse, and why.

conformance.py says what a case holds.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct

from conformance import Cases

SECRET = "treezor-webhook-key-4f7c1d92a6b3e8055"
OTHER_SECRET = "treezor-webhook-key-b81e60c3d5f9a2741"
THIRD_SECRET = "treezor-webhook-key-09ad3b7ce6124f588"
TOKEN = "url-token-6d1f0a94c27be8354f7c1d92a6b3e805"
OTHER_TOKEN = "url-token-c3d5f9a2741b81e60d1f0a94c27be835"

PATH = "/treezor"
MESSAGE_TYPE = ("x-amz-sns-message-type", "SubscriptionConfirmation")

CASES = Cases("treezor")


class Number(str):
    """A number as spelled: JSON's numbers are text until somebody rounds them."""


class Members(list):
    """An object as pairs, for one that names a member twice."""


def php_string(text: str) -> str:
    """What PHP's json_encode makes of a string with its default flags, by the PHP manual."""
    short = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    utf16 = text.encode("utf-16-be", "surrogatepass")
    units = [utf16[at] << 8 | utf16[at + 1] for at in range(0, len(utf16), 2)]
    return '"' + "".join(short.get(chr(u)) or (chr(u) if 0x20 <= u < 0x80 else f"\\u{u:04x}") for u in units) + '"'


def bare_string(text: str) -> str:
    """A string with no more escapes than JSON asks for."""
    return json.dumps(text, ensure_ascii=False)


def escaped_string(text: str) -> str:
    """A string that is nothing but escapes, in upper case."""
    units = text.encode("utf-16-be", "surrogatepass").hex().upper()
    return '"' + "".join(f"\\u{units[at:at + 4]}" for at in range(0, len(units), 4)) + '"'


def spell(value, string=php_string, comma=",", colon=":", opened="", closed="") -> str:
    """A value as JSON, in the spelling that is asked for; as it stands, in PHP's."""
    def inner(value):
        return spell(value, string, comma, colon, opened, closed)

    def joined(opening, closing, entries):
        return opening + opened + comma.join(entries) + closed + closing if entries else opening + closing

    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, Members):
        return joined("{", "}", [string(name) + colon + inner(entry) for name, entry in value])
    if isinstance(value, dict):
        return joined("{", "}", [string(name) + colon + inner(entry) for name, entry in value.items()])
    if isinstance(value, list):
        return joined("[", "]", [inner(entry) for entry in value])
    return json.dumps(value)


def octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def mac(message: str | bytes, secret: str | bytes = SECRET, algorithm: str = "sha256") -> bytes:
    return hmac.new(octets(secret), octets(message), algorithm).digest()


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def sign(payload: str | bytes, secret: str | bytes = SECRET) -> str:
    return b64(mac(payload, secret))


REVIEW = {"users": [{"userId": "6461762", "firstname": "S\u00c1MPLE", "birthday": "1989-00-00", "website": "a/b",
                     "kycLevel": "2", "kycReview": "2", "modifiedDate": "2026-05-18 12:21:12"}]}
PAYLOAD = spell(REVIEW)
GOOD = sign(PAYLOAD)
BAD = sign(PAYLOAD, OTHER_SECRET)
OTHER_PAYLOAD = spell({"userId": "4137216", "result": "SUCCESS",
                       "transactionNumber": "b00ecdec-b721-55c4-8e20-ef3625616926"})

KYCREVIEW = spell({"userId": Number("1"), "kycLevel": Number("1"), "kycReview": Number("2"), "kycStatus": "VALIDATED",
                   "lastReviewDatetime": "2026-02-25T15:06:39Z"})

# Payloads that nobody but PHP spells the way PHP does.
ODD = {
    "slash": "https://example.com/a/b", "umlaut": "STADT K\u00d6LN", "astral": "\U0001f511", "delete": "\x7f",
    "html": "<a href='x'>&amp;</a>", "quoted": '"\\"', "controls": "".join(map(chr, range(0x20))),
    "separators": "\u2028\u2029\ufeff\u0080", "empty": "", "10": "ten", "2": "two", "1": "one",
    "float": Number("10.0"), "exponent": Number("1.0e+25"), "minus": Number("-0"), "long": Number("9" * 40),
    "beyond": Number("9007199254740993"), "huge": Number("1e400"), "object": {}, "list": [], "nested": [[], {}, [{}]],
    "words": [True, False, None], "digits": "007",
}


def envelope(payload: str | None = PAYLOAD, signature: str | None = GOOD, *, name: str | None = "user.kycreview",
             before=(), after=()) -> str:
    """A flat envelope. `signature` is the text of a string; `before` and `after` are pairs as written."""
    members = [*before]
    if name is not None:
        members.append(('"webhook"', json.dumps(name)))
    if payload is not None:
        members += [('"object_id"', '"6461762"'), ('"object_payload"', payload)]
    if signature is not None:
        members.append(('"object_payload_signature"', json.dumps(signature)))
    return written([*members, *after])


def written(members) -> str:
    return "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"


def wrapped(inner: str, before=(), after=()) -> str:
    return written([('"messageId"', '"m-1"'), *before, ('"webhook"', inner), ('"clientId"', '"516899"'), *after])


def case(name, why, body=None, *, refusal=None, secrets=(SECRET,), tokens=None, unsigned_reviews=None, query=(),
         headers=(), method="POST", path=PATH):
    """Adds a case. Without `body`, the usual one is all there is."""
    credentials = {"secrets": list(secrets)}
    if tokens is not None:
        credentials["urlTokens"] = list(tokens)
    if unsigned_reviews is not None:
        credentials["unsignedReviews"] = unsigned_reviews
    CASES.add(name, why, credentials=credentials, path=path, method=method, query=list(query), headers=list(headers),
              body=octets(envelope() if body is None else body), refusal=refusal)


def what_is_signed_right():
    case("review", "The usual webhook, flat, its payload spelled the way it was signed.")
    case("wrapped", "Some subscriptions wrap the webhook in another object.", wrapped(envelope()))
    case("wrapped-with-an-id-of-its-own", "What wraps a webhook names it too.",
         wrapped(envelope(after=[('"webhook_id"', '"w-1"')]), before=[('"webhookId"', '"w-1"')]))
    case("wrapped-with-a-type", "What wraps a webhook may say of itself what it is.",
         wrapped(envelope(), before=[('"Type"', '"Notification"')]))
    slashes = GOOD.replace("/", "\\/").replace("+", "\\u002b")
    assert "\\" in slashes
    case("signature-with-escapes", "PHP escapes the slashes of base64 too; it is decoded as any string.",
         envelope(signature=None, after=[('"object_payload_signature"', f'"{slashes}"')]))
    case("signature-before-the-payload", "Members have no order.",
         written([('"object_payload_signature"', json.dumps(GOOD)), ('"object_payload"', PAYLOAD),
                  ('"webhook"', '"user.kycreview"')]))
    case("white-space-in-the-envelope", "Nothing around the payload is signed.",
         f' \r\n{{\t"webhook" :\n"user.kycreview" , "object_payload" : {PAYLOAD} ,'
         f'"object_payload_signature" : "{GOOD}" }}\n')
    case("names-with-escapes", "A name is what it means, not how it is written.",
         envelope(None, None, after=[('"object\\u005fpayload"', PAYLOAD),
                                     ('"object_payload\\u005Fsignature"', json.dumps(GOOD))]))
    case("without-name", "The name is not signed, so it proves nothing.", envelope(name=None))
    case("with-another-name", "The name is not signed; what the payload says counts.", envelope(name="qes.finalized"))
    case("with-another-time-and-id", "Neither is signed.",
         envelope(after=[('"webhook_id"', '"another"'), ('"webhook_created_at"', "1e400"), ('"new"', "[{}]")]))
    case("a-member-that-does-not-matter-twice", "Only a doubled proof is ambiguous.",
         envelope(before=[('"object"', '"user"')], after=[('"object"', '"kyc"')]))
    case("other-family", "Every webhook is proved, whatever it speaks of.", envelope(name="payin.create"))
    case("stage-before-the-path", "An API Gateway stage or a base path comes before the path.",
         path="/production/treezor")
    for path in ("/treezor/", "//treezor", "//treezor///", "/production//treezor/"):
        case(f"slashes-in-{path}", "Doubled and last slashes come from putting URLs together, and mean nothing.",
             path=path)
    case("method-override-ignored", "What counts is the method of the request.",
         headers=[("x-http-method-override", "DELETE")])
    case("signature-headers-ignored", "Treezor's signature is in the body alone.",
         headers=[("x-hmac-signature", BAD), ("x-signature", BAD), ("x-signature", GOOD)])
    case("confirmation-header-ignored", "What holds a payload is a webhook, whatever its headers say.",
         headers=[MESSAGE_TYPE])
    for content_type in ("text/plain; charset=UTF-8", "application/json", "application/x-www-form-urlencoded", ""):
        case(f"content-type-{content_type.split(';')[0] or 'empty'}", "The content type is never checked.",
             headers=[("content-type", content_type)])
    counter = next(n for n in range(100_000) if mac(f'{{"n":{n}}}')[0] == 0)
    zeros = f'{{"n":{counter}}}'
    case("digest-starts-with-zeros", "Leading zeros are part of the digest.", envelope(zeros, sign(zeros)))


def spellings():
    """What is signed is PHP's spelling; what arrives may be another one of the same tokens."""
    signature = sign(spell(ODD))
    pretty = {"comma": ",\n    ", "colon": ": ", "opened": "\n    ", "closed": "\n"}

    def genuine(name, why, payload, signature=signature):
        case(name, why, envelope(payload, signature))

    def mismatch(name, why, payload, signature=signature):
        case(name, why, envelope(payload, signature), refusal="signature_mismatch")

    genuine("spelled-by-php", "As it was signed.", spell(ODD))
    genuine("pretty-printed", "White space between tokens is not signed.", spell(ODD, **pretty))
    genuine("bare", "The documentation prints slashes and characters beyond ASCII as they are.",
            spell(ODD, bare_string))
    genuine("pretty-printed-and-bare", "Both at once.", spell(ODD, bare_string, **pretty))
    genuine("all-escapes-in-upper-case", "An escape is what it means.", spell(ODD, escaped_string))
    genuine("tabs-and-line-breaks", "All four white space characters of JSON.",
            spell(ODD, comma="\t,\r\n", colon=" :\t", opened="\r", closed="\n\t"))
    for name, payload in (("signed-bare", spell(ODD, bare_string)),
                          ("signed-pretty", spell(ODD, bare_string, **pretty))):
        genuine(name, "What was signed just as it came is genuine in any spelling.", payload, sign(payload))
    lone = '{"a":"\\uD83D","b":"\\uDD11\\uD83D"}'
    genuine("lone-surrogates", "No character, but an escape like any other.", lone, sign(lone.lower()))
    genuine("pair-split-by-spelling", "Two escapes are one character.", '{"a":"\\uD83D\\uDD11"}',
            sign(spell({"a": "\U0001f511"})))
    doubled = Members([("userId", "1"), ("userId", "2")])
    genuine("repeated-member", "A proof does not read: it is ambiguous only then.", spell(doubled, **pretty),
            sign(spell(doubled)))
    brackets = {"a": "}]\"{[\\", "b}": ["]", {"c{": "\\\""}], 'object_payload":{}': 1}
    genuine("brackets-in-strings", "What looks like an end may be text.", spell(brackets, **pretty),
            sign(spell(brackets)))
    genuine("decoy-inside", "The payload is a member of the envelope, and of nothing within.",
            spell({"object_payload": {"a": 1}, "object_payload_signature": BAD}),
            sign(spell({"object_payload": {"a": 1}, "object_payload_signature": BAD})))
    case("decoy-beside", "The payload is a member of the envelope, and of nothing beside.",
         envelope(before=[('"object"', spell({"object_payload": {"a": 1}, "object_payload_signature": BAD})),
                          ('"text"', json.dumps('"object_payload":{"a":1},'))]))
    for name, payload in (("null", "null"), ("text", '"\\u00e9\\/"'), ("number", "1.50"), ("empty-list", "[]"),
                          ("empty-object", "{}")):
        genuine(f"payload-{name}", "A proof does not read.", payload, sign(payload))
    deep = "[" * 1000 + "]" * 1000
    genuine("nested-a-thousand-deep", "A proof does not nest.", deep, sign(deep))
    for name, broken in (("missing-value", '{"userId":}'), ("unmatched", '{"users":[}}'), ("words", "{NaN undefined}")):
        genuine(f"broken-payload-{name}", "A proof does not read; what was signed may be unreadable.", broken,
                sign(broken))
    comment = "{/* } */}"
    case("broken-payload-comment", "A bracket in a comment is a bracket: JSON has no comments.",
         envelope(comment, sign(comment)), refusal="envelope_unreadable")

    mismatch("one-digit-changed", "Every digit counts.", spell({**ODD, "beyond": Number("9007199254740992")}))
    mismatch("number-without-its-fraction", "10 is not what was signed as 10.0.", spell({**ODD, "float": Number("10")}))
    mismatch("number-with-another-exponent", "Numbers are what they are spelled.",
             spell({**ODD, "exponent": Number("1.0e25")}))
    mismatch("number-in-upper-case", "Numbers are what they are spelled.",
             spell({**ODD, "exponent": Number("1.0E+25")}))
    mismatch("number-rounded", "Numbers are what they are spelled.", spell({**ODD, "huge": None}))
    mismatch("number-as-text", "Text is no number.", spell({**ODD, "float": "10.0"}))
    mismatch("object-made-a-list", "An empty object is no empty list.", spell({**ODD, "object": []}))
    mismatch("list-made-an-object", "An empty list is no empty object.", spell({**ODD, "list": {}}))
    mismatch("members-sorted", "Members are signed in their order.", spell(dict(sorted(ODD.items()))))
    integers = sorted(ODD, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0))
    mismatch("integers-first", "JavaScript moves them to the front.", spell({name: ODD[name] for name in integers}))
    mismatch("member-added", "Every member counts.", spell({**ODD, "more": 1}))
    mismatch("member-removed", "Every member counts.",
             spell({name: value for name, value in ODD.items() if name != "10"}))
    mismatch("space-in-text", "White space within a string is text.", spell({**ODD, "umlaut": "STADT  K\u00d6LN"}))
    mismatch("text-in-another-normal-form", "Equal to the eye is not equal.",
             spell({**ODD, "umlaut": "STADT KO\u0308LN"}))
    mismatch("text-replaced", "Characters that a text conversion has replaced are lost.",
             spell({**ODD, "umlaut": "STADT K\ufffdLN"}))
    mismatch("declined-made-approved", "The reason to forge one.", PAYLOAD,
             sign(PAYLOAD.replace('"kycReview":"2"', '"kycReview":"3"')))

    # What other encoders make of the payload, where it came the way PHP spells it.
    for name, other in (
        ("bare-spelling", spell(ODD, bare_string)),
        ("bare-slashes", spell(ODD, lambda text: php_string(text).replace("\\/", "/"))),
        ("upper-case-escapes", spell(ODD, escaped_string)),
        ("spaces", spell(ODD, comma=", ", colon=": ")),
        ("delete-escaped", spell(ODD, lambda text: php_string(text).replace("\x7f", "\\u007f"))),
        ("html-escaped", spell(ODD, lambda text: php_string(text).replace("<", "\\u003C").replace("&", "\\u0026"))),
        ("short-escapes-spelled-out", spell(ODD, lambda text: php_string(text).replace("\\n", "\\u000a"))),
        ("line-break", spell(ODD) + "\n"),
    ):
        mismatch(f"signed-with-{name}", "Only PHP's form and the very text that came are signed.", spell(ODD),
                 sign(other))


def signatures_that_no_signer_makes():
    def malformed(name, why, signature):
        case(name, why, envelope(signature=signature), refusal="signature_malformed")

    def not_text(name, value):
        case(name, "There is a signature, and it is no text.",
             envelope(signature=None, after=[('"object_payload_signature"', value)]), refusal="signature_malformed")

    not_text("null", "null")
    not_text("number", "0")
    not_text("false", "false")
    not_text("object", "{}")
    not_text("list-of-the-right-one", json.dumps([GOOD]))
    not_text("deep", "[" * 200 + "]" * 200)
    malformed("empty", "There is a signature, and nothing in it.", "")
    malformed("white-space-only", "There is a signature, and nothing in it.", " \t\n")
    for length in (1, 8, 32, 40, 42):
        malformed(f"cut-to-{length}", "A part of the digest is not the digest.", GOOD[:length])
    malformed("without-padding", "Base64 as PHP writes it ends with padding.", GOOD.rstrip("="))
    malformed("padded-twice", "One too many.", GOOD + "=")
    malformed("one-character-long", "33 bytes are no SHA-256.", GOOD + "A")
    malformed("33-bytes", "33 bytes are no SHA-256.", b64(mac(PAYLOAD) + b"\0"))
    malformed("31-bytes", "31 bytes are no SHA-256.", b64(mac(PAYLOAD)[:31]))
    malformed("twice-in-a-row", "64 bytes are no SHA-256.", b64(mac(PAYLOAD) * 2))
    malformed("two-joined", "There is no list of signatures to try.", f"{GOOD},{GOOD}")
    malformed("two-joined-good-first", "There is no list of signatures to try.", f"{GOOD},{BAD}")
    malformed("two-joined-good-last", "There is no list of signatures to try.", f"{BAD} {GOOD}")
    malformed("many-joined", "There is no list of signatures to try.", ",".join([BAD] * 99 + [GOOD]))
    last = GOOD[:-2] + chr(ord(GOOD[-2]) + 1) + "="
    assert base64.b64decode(last) == mac(PAYLOAD)
    malformed("trailing-bits-set", "A lax decoder would take a second spelling of the digest.", last)
    url_safe = GOOD.replace("+", "-").replace("/", "_")
    assert url_safe != GOOD
    malformed("url-alphabet", "The other base64 alphabet is another encoding.", url_safe)
    malformed("line-break-after", "The value is taken as it is.", GOOD + "\n")
    malformed("line-break-inside", "The value is taken as it is.", GOOD[:20] + "\r\n" + GOOD[20:])
    malformed("leading-space", "The value is taken as it is.", " " + GOOD)
    malformed("nul-after", "A NUL ends strings in C alone.", GOOD + "\0")
    malformed("algorithm-prefix", "Treezor's signature has no prefix.", "sha256=" + GOOD)
    malformed("hex", "The right digest, but Treezor writes base64.", mac(PAYLOAD).hex())
    malformed("base64-of-the-hex", "The digest's bytes are encoded, not its digits.", b64(mac(PAYLOAD).hex().encode()))
    malformed("base64-of-the-base64", "Once is enough.", b64(GOOD.encode()))
    malformed("quoted", "Quotes are no base64.", f'"{GOOD}"')
    malformed("full-width", "Full-width characters look alike and are others.", chr(ord(GOOD[0]) + 0xFEE0) + GOOD[1:])
    malformed("cyrillic", "A homoglyph is another character.", GOOD[:10] + "\u0430" + GOOD[11:])
    malformed("lone-surrogate", "No character at all.", "\ud83d" + GOOD[1:])
    malformed("hmac-sha1", "Another algorithm, by its length.", b64(mac(PAYLOAD, algorithm="sha1")))
    malformed("hmac-sha512", "Another algorithm, by its length.", b64(mac(PAYLOAD, algorithm="sha512")))
    malformed("ten-kilobytes", "A long signature is no better than a short one.", GOOD[:-1] * 240)
    case("escape-that-json-lacks", "An escape that JSON does not have makes no string.",
         envelope(signature=None, after=[('"object_payload_signature"', f'"\\x41{GOOD}"')]),
         refusal="envelope_unreadable")


def signatures_over_something_else():
    def mismatch(name, why, digest, payload=PAYLOAD, **more):
        signature = digest if isinstance(digest, str) else b64(digest)
        case(name, why, envelope(payload, signature), refusal="signature_mismatch", **more)

    digest = mac(PAYLOAD)
    mismatch("all-zero", "A digest that an unset buffer would have.", bytes(32))
    mismatch("all-ones", "Nothing special is let through.", b"\xff" * 32)
    mismatch("right-beginning", "A right beginning does not make up for the rest.", digest[:16] + bytes(16))
    mismatch("first-bit-wrong", "Every bit counts.", bytes([digest[0] ^ 0x80]) + digest[1:])
    mismatch("last-bit-wrong", "Every bit counts.", digest[:-1] + bytes([digest[-1] ^ 1]))
    mismatch("digest-backwards", "The order of the bytes counts.", digest[::-1])
    mismatch("letters-in-the-other-case", "Base64 has case.", GOOD.swapcase().replace(GOOD.swapcase()[-2:], GOOD[-2:]))
    for end, part in (("first", slice(0, 32)), ("last", slice(32, 64))):
        mismatch(f"hmac-sha512-{end}-half", "A longer digest cut to length is another algorithm.",
                 mac(PAYLOAD, algorithm="sha512")[part])
    for algorithm in ("sha3_256", "blake2s"):
        mismatch(f"hmac-{algorithm}", "Another algorithm of the same length.", mac(PAYLOAD, algorithm=algorithm))
    mismatch("hmac-sha1-filled-up", "A shorter digest filled up is another algorithm.",
             mac(PAYLOAD, algorithm="sha1") + bytes(12))
    mismatch("plain-sha256", "Anybody can hash the payload.", hashlib.sha256(PAYLOAD.encode()).digest())
    mismatch("sha256-of-payload-and-secret", "A hash with the secret behind it is no HMAC.",
             hashlib.sha256((PAYLOAD + SECRET).encode()).digest())
    mismatch("sha256-of-secret-and-payload", "A hash with the secret in front can be extended.",
             hashlib.sha256((SECRET + PAYLOAD).encode()).digest())
    extension = b',{"kycReview":"2"}'
    length = len(SECRET) + len(PAYLOAD)
    padding = b"\x80" + b"\0" * ((55 - length) % 64) + struct.pack(">Q", 8 * length)
    mismatch("length-extension", "What a hash with the secret in front would be extended to.",
             hashlib.sha256(SECRET.encode() + PAYLOAD.encode() + padding + extension).digest())
    mismatch("key-and-message-swapped", "The payload is the message, the secret the key.", mac(SECRET, PAYLOAD))
    mismatch("hmac-of-the-hash", "The payload itself is signed, not its digest.",
             mac(hashlib.sha256(PAYLOAD.encode()).digest()))
    mismatch("another-payload", "A genuine signature, but over another webhook.", sign(OTHER_PAYLOAD))
    mismatch("nothing-signed", "A genuine signature, but over nothing.", sign(""))
    mismatch("whole-body-signed", "The payload is signed, not what it comes in.", sign(envelope(signature=None)))
    mismatch("payload-as-a-string-signed", "The payload is signed, not a string that holds it.",
             sign(json.dumps(PAYLOAD)))
    mismatch("payload-as-a-string", "The payload is a member, not text that holds one.", GOOD,
             payload=json.dumps(PAYLOAD))
    mismatch("payload-in-a-list", "The payload is what is signed, all of it.", GOOD, payload=f"[{PAYLOAD}]")
    mismatch("entry-signed", "The payload is signed, not what it holds.", sign(spell(REVIEW["users"][0])))
    mismatch("another-encoding-signed", "The payload's UTF-8 is signed.", mac(PAYLOAD.encode("utf-16-le")))
    case("signature-of-the-payload-inside", "What is wrapped is not signed.",
         wrapped(envelope(signature=sign(envelope(signature=None)))), refusal="signature_mismatch")


def secrets():
    def genuine(name, why, secret, active=None):
        case(name, why, envelope(signature=sign(PAYLOAD, secret)), secrets=active or [secret])

    def mismatch(name, why, secret, active=(SECRET,)):
        case(name, why, envelope(signature=sign(PAYLOAD, secret)), secrets=active, refusal="signature_mismatch")

    both = [SECRET, OTHER_SECRET]
    genuine("rotation-old-secret", "While a secret is replaced, both are active.", SECRET, both)
    genuine("rotation-new-secret", "While a secret is replaced, both are active.", OTHER_SECRET, both)
    case("rotation-canonical-form-under-the-new-secret", "Each secret may have signed either form.",
         envelope(spell(ODD, bare_string), sign(spell(ODD), OTHER_SECRET)), secrets=both)
    mismatch("rotation-revoked-secret", "Once it is off the list, a secret proves nothing.", THIRD_SECRET, both)
    mismatch("secret-of-another-environment", "Each environment has its own secret.", OTHER_SECRET)
    mismatch("empty-key", "An unset variable must never sign.", "")
    mismatch("url-token-as-secret", "A token in a URL is seen by many.", TOKEN)
    mismatch("both-secrets-in-one", "Secrets are tried one by one.", SECRET + OTHER_SECRET, both)
    mismatch("secret-cut-short", "All of the secret signs.", SECRET[:-1])
    mismatch("secret-and-line-break", "The secret is taken literally.", SECRET + "\n")
    mismatch("secret-in-upper-case", "The secret is taken literally.", SECRET.upper())
    encoded = "OWJONHZSN3RLMndRNXpYOC1MbTNkWXM2Rg=="
    genuine("secret-that-looks-like-base64", "The secret is taken literally.", encoded)
    mismatch("secret-decoded-from-base64", "The secret is taken literally.", base64.b64decode(encoded), [encoded])
    pattern = hashlib.sha512(b"a pattern").hexdigest() + "-padding"
    for length, why in ((16, "The shortest one allowed."), (64, "A whole block of SHA-256."),
                        (65, "HMAC hashes keys beyond a block."), (131, "The long key of RFC 4231, in ASCII.")):
        genuine(f"secret-of-{length}-bytes", why, pattern[:length])
    mismatch("long-secret-cut-to-a-block", "Keys beyond a block are hashed, not cut.", pattern[:64], [pattern[:131]])
    genuine("secret-beyond-ascii", "The secret's UTF-8 signs.",
            "s\u00e9cret-\u043a\u043b\u044e\u0447-\u9375-\U0001f511-2026")


def url_tokens():
    def token(name, why, *query, tokens=(TOKEN,), refusal=None, **more):
        case(name, why, query=query, tokens=tokens, refusal=refusal, **more)

    right = ("token", TOKEN)
    missing, repeated, mismatch = "url_token_missing", "url_token_repeated", "url_token_mismatch"
    token("token-and-signature", "Both are asked for, and both hold.", right)
    token("token-rotated", "Any entry may match.", right, tokens=[OTHER_TOKEN, TOKEN])
    token("token-among-other-parameters", "Other parameters say nothing.", ("a", "b"), right, ("Token", "x"))
    token("token-where-none-is-asked-for", "Without tokens in the credentials, the URL is not looked at.",
          ("token", "x"), ("token", "y"), tokens=None)
    token("token-missing", "A signature does not make up for it.", refusal=missing)
    token("token-under-another-name", "Parameters have case.", ("Token", TOKEN), ("url_token", TOKEN), refusal=missing)
    token("token-in-a-header", "The token is in the URL.", refusal=missing,
          headers=[("token", TOKEN), ("authorization", f"Bearer {TOKEN}")])
    token("token-in-the-body", "The token is in the URL.", body=envelope(after=[('"token"', json.dumps(TOKEN))]),
          refusal=missing)
    token("token-in-the-path", "A path is not a query.", path=f"/{TOKEN}/treezor", refusal=missing)
    token("token-empty", "There is a token, and nothing in it.", ("token", ""), refusal=mismatch)
    token("token-wrong", "Another token.", ("token", OTHER_TOKEN), refusal=mismatch)
    token("token-revoked", "Once it is off the list, a token proves nothing.", right, tokens=[OTHER_TOKEN],
          refusal=mismatch)
    token("token-cut-short", "All of the token counts.", ("token", TOKEN[:-1]), refusal=mismatch)
    token("token-and-more", "The token is taken literally.", ("token", TOKEN + "0"), refusal=mismatch)
    token("token-with-space", "The token is taken literally.", ("token", TOKEN + " "), refusal=mismatch)
    token("token-in-upper-case", "The token is taken literally.", ("token", TOKEN.upper()), refusal=mismatch)
    token("secret-as-token", "Each has its own place.", ("token", SECRET), refusal=mismatch)
    token("tokens-joined", "A list is no token.", ("token", f"{TOKEN},{TOKEN}"), refusal=mismatch)
    token("token-doubled", "Nobody can say which one counts.", right, right, refusal=repeated)
    token("token-doubled-good-bad", "Nobody can say which one counts.", right, ("token", OTHER_TOKEN), refusal=repeated)
    token("token-doubled-bad-good", "Nobody can say which one counts.", ("token", ""), right, refusal=repeated)
    token("token-does-not-rescue-a-bad-signature", "A signature that is there must hold.", right,
          body=envelope(signature=BAD), refusal="signature_mismatch")
    token("token-does-not-rescue-a-missing-signature", "Only reviews may come without.", right,
          body=envelope(signature=None), refusal="signature_missing")
    token("token-before-signature", "Whoever has no token learns nothing of signatures.", body=envelope(signature=BAD),
          refusal=missing)
    token("token-before-body", "Whoever has no token learns nothing of bodies.", ("token", "x"), body="",
          refusal=mismatch)


def what_is_no_json():
    why = "White space between two parts of one value is none that may be left out: this is no JSON."
    for name, signed, sent in (("number", '{"kycReview":10}', '{"kycReview":1 0}'),
                               ("word", '{"isFreezed":true}', '{"isFreezed":tr ue}'),
                               ("sign", '{"score":-1}', '{"score":- 1}'),
                               ("fraction", '{"score":1.5}', '{"score":1\n.5}')):
        case(f"no-json-{name}", why, envelope(sent, sign(signed)), refusal="signature_mismatch")
        case(f"json-{name}", "The same value as it was signed.", envelope(signed, sign(signed)))
        case(f"json-{name}-spaced", "White space beside a value changes nothing.",
             envelope(signed.replace(":", " : "), sign(signed)))


def without_signature():
    right = ("token", TOKEN)

    def unsigned(name, why, *, refusal="signature_missing", event="kycreview.result", payload=KYCREVIEW,
                 tokens=(TOKEN,), asked_for=True, query=(right,), **more):
        case(name, why, envelope(payload, None, name=event, **more), tokens=tokens, unsigned_reviews=asked_for,
             query=query, refusal=refusal)

    why = "A token in the URL is a weaker proof than a signature: the operator has to ask for it."
    unsigned("unsigned-review-nobody-asked-for", why, asked_for=None)
    unsigned("unsigned-review-asked-not-to-come", why, asked_for=False)
    unsigned("unsigned-review-request-nobody-asked-for", why, asked_for=None, event="kycreview.request")
    case("unsigned-review-wrapped-nobody-asked-for", why,
         wrapped(envelope(KYCREVIEW, None, name="kycreview.result")), tokens=[TOKEN], query=[right],
         refusal="signature_missing")
    why = "Reviews are printed without signature; where that is asked for, a token in the URL proves their sender."
    unsigned("unsigned-review", why, refusal=None)
    unsigned("unsigned-review-request", why, event="kycreview.request", refusal=None)
    unsigned("unsigned-review-of-a-new-kind", why, event="kycreview.sample", refusal=None)
    unsigned("unsigned-review-pretty-printed", "What is not signed may be spelled in any way.", refusal=None,
             payload='{ "kycReview" : 2,\n "userId": "\\u0031" }')
    case("unsigned-review-wrapped", why, wrapped(envelope(KYCREVIEW, None, name="kycreview.result")), tokens=[TOKEN],
         unsigned_reviews=True, query=[right])
    unsigned("unsigned-review-with-escapes-in-its-name", "A name is what it means.", event=None, refusal=None,
             before=[('"webhook"', '"kycreview\\u002eresult"')])
    unsigned("unsigned-review-without-tokens", "Nothing proves who sent it.", tokens=None, asked_for=None,
             query=())
    unsigned("unsigned-review-with-a-token-nobody-asked-for", "Nothing proves who sent it.", tokens=None,
             asked_for=False)
    unsigned("unsigned-review-without-token", "Nothing proves who sent it.", query=(), refusal="url_token_missing")
    unsigned("unsigned-review-wrong-token", "Nothing proves who sent it.", query=[("token", OTHER_TOKEN)],
             refusal="url_token_mismatch")
    for event in ("user.kycreview", "qes.finalized", "kycliveness.update", "payin.create", "kycreview",
                  "Kycreview.result", " kycreview.result", "xkycreview.result", "kycreviews.result", ""):
        unsigned(f"unsigned-{event or 'blank'}", "Only reviews may come without a signature.", event=event)
    unsigned("unsigned-without-name", "Only reviews may come without a signature.", event=None)
    for name, value in (("null", "null"), ("number", "1"), ("list", '["kycreview.result"]')):
        unsigned(f"unsigned-with-a-name-of-{name}", "Only reviews may come without a signature.", event=None,
                 before=[('"webhook"', value)])
    why = "By its name a review, by its payload something that only a signature vouches for."
    for name, payload in (("users", PAYLOAD), ("identification", OTHER_PAYLOAD), ("documents", '{"documents":[]}'),
                          ("liveness", '{"kyc-status":"processed","score":1}'), ("nothing", "{}"), ("null", "null"),
                          ("text", json.dumps(KYCREVIEW)), ("broken", '{"kycReview":}'),
                          ("review-among-users", '{"kycReview":2,"userId":1,"users":[]}'),
                          ("review-and-result", '{"kycReview":2,"userId":1,"result":"SUCCESS"}'),
                          ("doubled-review", '{"kycReview":2,"kycReview":3,"userId":1}'),
                          ("deep", '{"kycReview":' + "[" * 200 + "]" * 200 + "}")):
        unsigned(f"unsigned-review-of-{name}", why, payload=payload)
    for name, value in (("null", "null"), ("empty", '""'), ("number", "0"), ("malformed", '"x"')):
        unsigned(f"review-with-a-signature-of-{name}", "A signature that is there must hold, whatever it is.",
                 after=[('"object_payload_signature"', value)], refusal="signature_malformed")
    unsigned("review-with-a-bad-signature", "A signature that is there must hold.",
             after=[('"object_payload_signature"', json.dumps(BAD))], refusal="signature_mismatch")
    unsigned("review-with-a-good-signature", "Treezor says that every payload is signed.", asked_for=None,
             after=[('"object_payload_signature"', json.dumps(sign(KYCREVIEW)))], refusal=None)
    case("signature-missing", "Nothing is signed.", envelope(signature=None), refusal="signature_missing")
    case("signature-in-a-header", "The signature is beside the payload.", envelope(signature=None),
         headers=[("object_payload_signature", GOOD), ("x-signature", GOOD)], refusal="signature_missing")
    case("signature-in-the-payload", "The signature is beside the payload.",
         envelope(spell({**REVIEW, "object_payload_signature": GOOD}), None), refusal="signature_missing")
    for name in ("object_payload_Signature", "signature", "object_payload_signature ", "object-payload-signature"):
        case(f"signature-named-{name}", "A similar name is another member.",
             envelope(signature=None, after=[(json.dumps(name), json.dumps(GOOD))]), refusal="signature_missing")


def envelopes():
    def unreadable(name, why, body):
        case(name, why, body, refusal="envelope_unreadable")

    good = envelope()
    why = "There is no payload to find."
    for name, body in (("empty", ""), ("white-space", " \r\n\t"), ("null", "null"), ("text", json.dumps(good)),
                       ("number", "1"), ("list", f"[{good}]"), ("empty-object", "{}"), ("xml", "<webhook/>"),
                       ("form", "object_payload=" + PAYLOAD), ("only-the-payload", PAYLOAD),
                       ("no-payload", envelope(None)),
                       ("payload-in-upper-case", good.replace('object_payload"', 'OBJECT_PAYLOAD"')),
                       ("wrapped-twice", wrapped(wrapped(good)))):
        unreadable(f"envelope-{name}", why, body)
    why = "Not one JSON document in UTF-8."
    for name, sent in (("cut-short", good[:-1]), ("cut-in-the-payload", good[:60]), ("closed-twice", good + "}"),
                       ("twice", good + good), ("garbage-after", good + "x"), ("nul-after", good + "\0"),
                       ("comma-at-the-end", good[:-1] + ",}"), ("comma-at-the-start", "{," + good[1:]),
                       ("single-quotes", good.replace('"', "'")), ("comment", "/* */" + good),
                       ("name-without-quotes", "{a:1," + good[1:]), ("name-without-value", '{"a",' + good[1:]),
                       ("word", '{"a":True,' + good[1:]), ("number-with-a-sign", '{"a":+1,' + good[1:]),
                       ("line-break-in-a-name", '{"a\n":1,' + good[1:]),
                       ("escape-that-json-has-not", '{"\\a":1,' + good[1:]),
                       ("byte-order-mark", "\ufeff" + good), ("no-break-space", "\u00a0" + good),
                       ("not-utf-8", b'{"a":"\xff",' + good[1:].encode()),
                       ("utf-8-of-a-surrogate", b'{"a":"\xed\xa0\xbd",' + good[1:].encode()),
                       ("utf-16", b"\xff\xfe" + good.encode("utf-16-le")), ("utf-16-bare", good.encode("utf-16-be")),
                       ("utf-32", good.encode("utf-32-le")), ("base64", base64.b64encode(good.encode()))):
        unreadable(f"envelope-{name}", why, sent)
    # gzip of `{}`, written out, since zlib's versions compress differently.
    unreadable("envelope-compressed", "Nothing is inflated.",
               bytes.fromhex("1f8b0800000000000003abae050043bfa6a302000000"))
    why = "Nobody can say which one counts."
    for name, value in (("webhook", '"qes.finalized"'), ("webhook_id", '"w"'), ("webhookId", '"w"'),
                        ("webhook_created_at", "1"), ("object_id", '"6461762"'), ("object_payload", PAYLOAD),
                        ("object_payload_signature", json.dumps(GOOD)), ("Type", '"Notification"')):
        member = [(json.dumps(name), value)]
        unreadable(f"doubled-{name}", why, envelope(before=member, after=member))
    unreadable("doubled-payload-bad-first", why, envelope(before=[('"object_payload"', OTHER_PAYLOAD)]))
    unreadable("doubled-payload-bad-last", why, envelope(after=[('"object_payload"', OTHER_PAYLOAD)]))
    unreadable("doubled-signature-bad-last", why, envelope(after=[('"object_payload_signature"', json.dumps(BAD))]))
    unreadable("doubled-signature-null-last", why, envelope(after=[('"object_payload_signature"', "null")]))
    unreadable("doubled-by-escape", why, envelope(after=[('"object\\u005fpayload"', OTHER_PAYLOAD)]))
    unreadable("doubled-by-escape-in-the-signature", why,
               envelope(after=[('"\\u006Fbject_payload_signature"', json.dumps(BAD))]))
    unreadable("doubled-inside", why, wrapped(envelope(after=[('"object_payload"', OTHER_PAYLOAD)])))
    unreadable("doubled-around", why, wrapped(good, after=[('"webhook"', good)]))
    why = "Two readers would find two webhooks."
    for name, value in (("webhook_id", '"w"'), ("webhook_created_at", "1"), ("object_id", '"6461762"'),
                        ("object_payload", OTHER_PAYLOAD), ("object_payload_signature", json.dumps(GOOD))):
        unreadable(f"around-and-inside-{name}", why, wrapped(good, after=[(json.dumps(name), value)]))
    unreadable("signature-around-payload-inside", why,
               wrapped(envelope(signature=None), after=[('"object_payload_signature"', json.dumps(GOOD))]))
    unreadable("payload-around-signature-inside", why, wrapped(envelope(None), after=[('"object_payload"', PAYLOAD)]))


def calls():
    right = {"tokens": [TOKEN], "query": [("token", TOKEN)]}
    body = '{"Type":"SubscriptionConfirmation","Token":"sample","TopicArn":"sample","SubscribeURL":"https://example.com/confirm"}'
    ended = body.replace("Subscription", "Unsubscribe")
    ended_header = (MESSAGE_TYPE[0], "UnsubscribeConfirmation")
    why = "A subscription is confirmed by hand; what asks for it may knock if it has the token."
    case("confirmation", why, body, **right)
    case("confirmation-by-header", why, body.replace("Subscription", "Sample"), headers=[MESSAGE_TYPE], **right)
    case("confirmation-by-header-in-another-case", "Header names have no case.", "{}",
         headers=[("X-Amz-Sns-Message-Type", MESSAGE_TYPE[1])], **right)
    case("confirmation-wrapped", why, wrapped("{}"), headers=[MESSAGE_TYPE], **right)
    for name, other in (("empty", ""), ("text", "Please confirm"), ("list", "[]"), ("not-utf-8", b"\xff"),
                        ("without-payload", envelope(None)), ("byte-order-mark", "\ufeff" + body)):
        case(f"confirmation-of-{name}", "Its form is not public, so any will do.", other, headers=[MESSAGE_TYPE], **right)
    why = "The transport says that a subscription has ended."
    case("unsubscribe", why, ended, **right)
    case("unsubscribe-by-header", why, "{}", headers=[ended_header], **right)
    case("unsubscribe-of-text", why, "It has ended", headers=[ended_header], **right)
    case("confirmation-without-token", "Where tokens are asked for, they are of everybody.", body, tokens=[TOKEN],
         refusal="url_token_missing")
    case("confirmation-wrong-token", "Where tokens are asked for, they are of everybody.", body, tokens=[TOKEN],
         query=[("token", OTHER_TOKEN)], headers=[MESSAGE_TYPE], refusal="url_token_mismatch")
    why = "Without a token that proves its sender it is as good as anything that is not signed."
    for name, other in (("confirmation", body), ("unsubscribe", ended)):
        case(f"{name}-where-no-token-is-configured", why, other, headers=[MESSAGE_TYPE], refusal="envelope_unreadable")
    case("confirmation-with-a-token-that-none-asks-for", why, body, query=right["query"], refusal="envelope_unreadable")
    why = "What holds a payload is a webhook, whatever else it says."
    payload = [('"Type"', '"SubscriptionConfirmation"')]
    case("confirmation-with-a-payload", why, envelope(signature=None, before=payload), headers=[MESSAGE_TYPE], **right,
         refusal="signature_missing")
    case("confirmation-with-a-bad-signature", why, envelope(signature=BAD, before=payload), headers=[MESSAGE_TYPE],
         **right, refusal="signature_mismatch")
    case("confirmation-with-a-wrapped-payload", why, wrapped(envelope(signature=None), before=payload),
         headers=[MESSAGE_TYPE], **right, refusal="signature_missing")
    case("confirmation-with-a-null-payload", why, written([*payload, ('"object_payload"', "null")]),
         headers=[MESSAGE_TYPE], **right, refusal="signature_missing")
    case("confirmation-with-two-payloads", why, envelope(after=[('"object_payload"', "{}")]), headers=[MESSAGE_TYPE],
         **right, refusal="envelope_unreadable")
    case("confirmation-with-a-payload-cut-short", why, envelope()[:-1], headers=[MESSAGE_TYPE], **right,
         refusal="envelope_unreadable")
    why = "Nothing says that it is a call of the transport's."
    for name, message in (("Notification", '"Notification"'), ("lower-case", '"subscriptionconfirmation"'),
                          ("null", "null"), ("list", '["SubscriptionConfirmation"]')):
        case(f"type-{name}", why, written([('"Type"', message)]), **right, refusal="envelope_unreadable")
    case("type-in-lower-case", why, written([('"type"', '"SubscriptionConfirmation"')]), **right,
         refusal="envelope_unreadable")
    case("type-inside", why, written([('"message"', body)]), **right, refusal="envelope_unreadable")
    case("type-doubled", why, written(payload * 2), **right, refusal="envelope_unreadable")
    case("confirmation-header-of-a-notification", why, "{}", headers=[(MESSAGE_TYPE[0], "Notification")], **right,
         refusal="envelope_unreadable")
    case("confirmation-header-doubled", "Nobody can say which one counts.", "{}",
         headers=[MESSAGE_TYPE, (MESSAGE_TYPE[0], "Notification")], **right, refusal="envelope_unreadable")


def methods_and_paths():
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "POST ", ""):
        case(f"method-{method or 'empty'}", "Webhooks are POSTs, and methods have case.", method=method,
             refusal="method_not_allowed")
    case("method-before-token", "Nothing else of a wrong method is looked at.", "", method="GET", tokens=[TOKEN],
         refusal="method_not_allowed")
    for path in ("", "/", "/treezor/events", "/treezor/%2F", "/treezor%2F", "/Treezor", "/treezo", "/treezor/..",
                 "/treezor?", "/treezor%00", "%2Ftreezor", "\\treezor", "/nottreezor", "treezor", "/veriff/decisions",
                 "/treezor\n", "/tre\u0435zor"):
        case(f"path-{path or 'empty'}", "Not Treezor's path.", path=path, refusal="path_unknown")
    case("path-before-token", "Nothing else of an unknown path is looked at.", "", path="/veriff/events",
         tokens=[TOKEN], refusal="path_unknown")


def main() -> None:
    for group in (what_is_signed_right, spellings, signatures_that_no_signer_makes, signatures_over_something_else,
                  secrets, url_tokens, what_is_no_json, without_signature, envelopes, calls, methods_and_paths):
        group()
    CASES.add_gates()
    CASES.write()


if __name__ == "__main__":
    main()
