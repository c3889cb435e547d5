#!/usr/bin/env python3
"""Writes veriff.json: deliveries that Veriff's proof has to accept or refuse, and why; conformance.py says what a case holds."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import unicodedata
import uuid

from conformance import Cases

# The secret and body of the vector that Veriff publishes, and the signature it publishes for them.
SECRET = "abcdef12-abcd-abcd-abcd-abcdef012345"
PUBLISHED_BODY = (
    '{"verification":{"callback":"https://veriff.com","person":{"firstName":"John","lastName":"Smith"},'
    '"document":{"type":"PASSPORT","country":"EE"},"vendorData":"unique id of the end-user",'
    '"timestamp":"2016-05-19T08:30:25.597Z"}}'
)
PUBLISHED_SIGNATURE = "0dcab73ddd20062616d104231c7439657546a5c24e4691977da93bb854c31e25"

OTHER_SECRET = "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95"
THIRD_SECRET = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
API_KEY = "871e8af2-e611-482b-a6d1-261524bfb6a7"
OTHER_API_KEY = "2d4ee1a0-6f3b-4a62-8f0e-0c4f5b6a7d88"

BODY = (
    '{"status":"success","verification":{"id":"f04bdb47-d3be-4b28-b028-a652feb060b5",'
    '"attemptId":"e30122d1-740b-4764-853f-470374a7abf4","code":9001,"status":"approved",'
    '"person":{"firstName":"S\u00c1MPLE"},"decisionTime":"2026-06-13T00:38:30.861285Z"}}'
)
EVENT = (
    '{"id":"f04bdb47-d3be-4b28-b028-a652feb060b5","attemptId":"e30122d1-740b-4764-853f-470374a7abf4",'
    '"feature":"selfid","code":7002,"action":"submitted"}'
)

EVENTS, DECISIONS = "/veriff/events", "/veriff/decisions"
SIGNATURE, SIGNATURE_ALIAS, CLIENT, CLIENT_ALIAS = (
    "x-hmac-signature", "vrf-hmac-signature", "x-auth-client", "vrf-auth-client",
)

CASES = Cases("veriff")


def octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def sign(body: str | bytes, secret: str | bytes = SECRET, algorithm: str = "sha256") -> str:
    return hmac.new(octets(secret), octets(body), algorithm).hexdigest()


def sha256(*parts: str | bytes) -> str:
    return hashlib.sha256(b"".join(map(octets, parts))).hexdigest()


GOOD = sign(BODY)
BAD = sign(BODY, OTHER_SECRET)


def case(name, why, *, refusal=None, signature=GOOD, headers=None, body=BODY, secrets=(SECRET,), api_keys=None,
         method="POST", path=DECISIONS):
    """Adds a case. Without `headers`, `signature` and an API key are all there is."""
    if headers is None:
        headers = [(CLIENT, API_KEY), (SIGNATURE, signature)]
    credentials = {"secrets": list(secrets)}
    if api_keys is not None:
        credentials["apiKeys"] = list(api_keys)
    CASES.add(name, why, credentials=credentials, path=path, method=method, headers=headers, body=octets(body),
              refusal=refusal)


def what_is_signed_right():
    assert sign(PUBLISHED_BODY) == PUBLISHED_SIGNATURE
    case("published-vector", "Veriff publishes this secret, body and signature.",
         body=PUBLISHED_BODY, signature=PUBLISHED_SIGNATURE)
    case("decision", "The usual decision, with a character beyond ASCII in it.")
    case("event-on-its-path", "The usual event.", body=EVENT, signature=sign(EVENT), path=EVENTS)
    case("event-on-the-decisions-path", "All portal URLs may be the same one.", body=EVENT, signature=sign(EVENT))
    case("decision-on-the-events-path", "All portal URLs may be the same one.", path=EVENTS)
    case("stage-before-the-path", "An API Gateway stage or a base path comes before the path.",
         path="/production/veriff/decisions")
    for path in ("/veriff/decisions/", "/veriff//decisions", "//veriff///events//", "/production//veriff/events/"):
        case(f"slashes-in-{path}", "Doubled and last slashes come from putting URLs together, and mean nothing.",
             path=path)
    case("upper-case-hex", "Veriff's own demo ignores the case of what it receives.", signature=GOOD.upper())
    mixed = "".join(c.upper() if at % 2 else c for at, c in enumerate(GOOD))
    case("mixed-case-hex", "Veriff's own demo ignores the case of what it receives.", signature=mixed)
    for name in ("X-HMAC-SIGNATURE", "X-Hmac-Signature", "x-HMAC-signature"):
        case(f"header-name-{name}", "Header names have no case.", headers=[(name, GOOD)])
    case("alias-headers", "Veriff documents both pairs of names.",
         headers=[(CLIENT_ALIAS, API_KEY), (SIGNATURE_ALIAS, GOOD)])
    case("alias-header-name-upper-case", "Header names have no case, those of aliases neither.",
         headers=[("VRF-HMAC-SIGNATURE", GOOD)])
    case("both-names-agree", "Two names with one value leave no doubt.",
         headers=[(SIGNATURE, GOOD), (SIGNATURE_ALIAS, GOOD), (CLIENT, API_KEY), (CLIENT_ALIAS, API_KEY)])
    case("both-names-agree-but-for-case", "The case of the hex says nothing.",
         headers=[(SIGNATURE, GOOD), (SIGNATURE_ALIAS, GOOD.upper())])
    case("no-api-key-where-none-is-asked-for", "The API key is public and proves nothing.", headers=[(SIGNATURE, GOOD)])
    case("method-override-ignored", "What counts is the method of the request.",
         headers=[(SIGNATURE, GOOD), ("x-http-method-override", "DELETE")])
    case("wrong-legacy-signature-ignored", "The legacy header counts neither for nor against.",
         headers=[(SIGNATURE, GOOD), ("x-signature", "0" * 64)])
    case("old-date-ignored", "There is no freshness window: retries go on for a week.",
         headers=[(SIGNATURE, GOOD), ("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("x-timestamp", "0")])
    case("other-header-beyond-ascii", "Nobody else's header matters.",
         headers=[("x-note", "\u0416\u0443\u043a \U0001f41e"), (SIGNATURE, GOOD)])
    case("other-header-doubled", "Only a doubled proof is ambiguous.",
         headers=[("accept", "a"), ("accept", "b"), (SIGNATURE, GOOD)])
    for content_type in ("text/plain", "application/json; charset=utf-16", "application/x-www-form-urlencoded", ""):
        case(f"content-type-{content_type or 'empty'}", "The content type is never checked.",
             headers=[(SIGNATURE, GOOD), ("content-type", content_type)])
    counter = next(n for n in range(100_000) if sign(f'{{"n":{n}}}').startswith("00"))
    zeros = f'{{"n":{counter}}}'
    case("digest-starts-with-zeros", "Leading zeros are part of the digest.", body=zeros, signature=sign(zeros))


def signatures_that_no_signer_makes():
    def malformed(name, why, signature):
        case(name, why, signature=signature, refusal="signature_malformed")

    malformed("empty", "There is a header, and no signature in it.", "")
    malformed("white-space-only", "There is a header, and no signature in it.", " \t ")
    for length in (1, 8, 32, 62):
        malformed(f"cut-to-{length}", "A part of the digest is not the digest.", GOOD[:length])
    malformed("one-digit-short", "63 hex digits are no SHA-256.", GOOD[:-1])
    malformed("first-digit-missing", "63 hex digits are no SHA-256.", GOOD[1:])
    malformed("one-digit-long", "65 hex digits are no SHA-256.", GOOD + "0")
    malformed("twice-in-a-row", "128 hex digits are no SHA-256.", GOOD + GOOD)
    malformed("garbage-tail", "A right beginning does not make up for the rest.", GOOD[:32] + "z" * 32)
    malformed("garbage-after", "What follows the digest is not ignored.", GOOD + "; path=/")
    malformed("algorithm-prefix", "Veriff's signature has no prefix.", "sha256=" + GOOD)
    malformed("algorithm-prefix-in-64", "Veriff's signature has no prefix, of whatever length.",
              ("sha256=" + GOOD)[:64])
    malformed("hex-prefix", "Veriff's signature has no prefix.", "0x" + GOOD)
    malformed("hex-prefix-in-64", "An x is no hex digit, though some parsers read it.", "0x" + GOOD[2:])
    malformed("plus-sign-in-64", "A sign is no hex digit, though some parsers read it.", "+" + GOOD[1:])
    malformed("underscore-in-64", "An underscore is no hex digit, though some parsers skip it.",
              GOOD[:31] + "_" + GOOD[32:])
    malformed("colons", "Hex with separators is another format.", ":".join(GOOD[at:at + 2] for at in range(0, 64, 2)))
    malformed("quoted", "Quotes are no hex digits.", f'"{GOOD}"')
    malformed("leading-space", "The value is taken as it is.", " " + GOOD)
    malformed("trailing-space", "The value is taken as it is.", GOOD + " ")
    malformed("trailing-tab", "The value is taken as it is.", GOOD + "\t")
    malformed("trailing-line-break", "The value is taken as it is.", GOOD + "\r\n")
    malformed("leading-line-break", "The value is taken as it is.", "\n" + GOOD)
    malformed("space-inside-64", "A space is no hex digit.", GOOD[:63] + " ")
    malformed("nul-inside-64", "A NUL ends strings in C alone.", GOOD[:63] + "\0")
    malformed("nul-after", "A NUL ends strings in C alone.", GOOD + "\0" + "0" * 8)
    full_width = GOOD.translate({ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789abcdef"})
    malformed("full-width-digits", "Full-width digits look alike and are others.", full_width)
    malformed("full-width-digit-in-64-bytes", "64 bytes are not 64 digits.", "\uff10" + GOOD[3:])
    malformed("arabic-digits", "Unicode has other digits; hex has not.",
              GOOD.translate({ord("0") + n: 0x660 + n for n in range(10)}))
    malformed("cyrillic-a", "A homoglyph is another character.", GOOD.replace("a", "\u0430"))
    malformed("cyrillic-a-in-64-bytes", "64 bytes are not 64 digits.", "\u0430" + GOOD[2:])
    malformed("latin-1-in-64-bytes", "64 bytes are not 64 digits.", GOOD[:62] + "\u00e9")
    malformed("zero-width-space", "What can't be seen counts all the same.", GOOD[:32] + "\u200b" + GOOD[32:])
    malformed("emoji", "A header may hold anything.", "\U0001f511" * 16)
    digest = bytes.fromhex(GOOD)
    malformed("base64", "The right digest, but Veriff writes hex.", base64.b64encode(digest).decode())
    malformed("base64-url", "The right digest, but Veriff writes hex.",
              base64.urlsafe_b64encode(digest).decode().rstrip("="))
    malformed("base64-of-the-hex", "Hex is not encoded once more.", base64.b64encode(GOOD.encode()).decode())
    malformed("json", "A header is no JSON.", json.dumps({"signature": GOOD}))
    malformed("hmac-sha1", "Another algorithm, by its length.", sign(BODY, algorithm="sha1"))
    malformed("hmac-sha512", "Another algorithm, by its length.", sign(BODY, algorithm="sha512"))
    malformed("ten-kilobytes-of-hex", "A long header is no better than a short one.", GOOD * 160)
    malformed("ten-kilobytes-of-nothing", "A long header is no better than a short one.", " " * 10_240)
    malformed("many-signatures-in-one-header", "There is no list of signatures to try.",
              ",".join([BAD] * 99 + [GOOD]))
    malformed("comma-joined-good-good", "API Gateway joins a doubled header with a comma.", f"{GOOD},{GOOD}")
    malformed("comma-joined-good-bad", "API Gateway joins a doubled header with a comma.", f"{GOOD},{BAD}")
    malformed("comma-joined-bad-good", "API Gateway joins a doubled header with a comma.", f"{BAD}, {GOOD}")
    malformed("semicolon-joined", "No other list is read either.", f"{BAD};{GOOD}")


def signatures_over_something_else():
    def mismatch(name, why, signature, **more):
        case(name, why, signature=signature, refusal="signature_mismatch", **more)

    mismatch("all-zero", "A digest that an unset buffer would have.", "0" * 64)
    mismatch("all-f", "Nothing special is let through.", "f" * 64)
    mismatch("hex-tail", "A right beginning does not make up for the rest.", GOOD[:32] + "0" * 32)
    mismatch("first-digit-wrong", "Every digit counts.", f"{int(GOOD[0], 16) ^ 1:x}" + GOOD[1:])
    mismatch("last-digit-wrong", "Every digit counts.", GOOD[:-1] + f"{int(GOOD[-1], 16) ^ 1:x}")
    mismatch("digest-backwards", "The order of the bytes counts.", bytes.fromhex(GOOD)[::-1].hex())
    mismatch("nibbles-swapped", "The order of the digits counts.",
             "".join(GOOD[at + 1] + GOOD[at] for at in range(0, 64, 2)))
    for end, part in (("first", slice(0, 64)), ("last", slice(64, 128))):
        mismatch(f"hmac-sha512-{end}-half", "A longer digest cut to length is another algorithm.",
                 sign(BODY, algorithm="sha512")[part])
    for algorithm in ("sha3_256", "blake2s"):
        mismatch(f"hmac-{algorithm}", "Another algorithm of the same length.", sign(BODY, algorithm=algorithm))
    mismatch("hmac-sha1-filled-up", "A shorter digest filled up is another algorithm.",
             sign(BODY, algorithm="sha1") + "0" * 24)
    mismatch("plain-sha256", "Anybody can hash the body.", sha256(BODY))
    mismatch("sha256-of-body-and-secret", "That is the legacy algorithm.", sha256(BODY, SECRET))
    mismatch("sha256-of-secret-and-body", "A hash with the secret in front can be extended.", sha256(SECRET, BODY))
    extended = extend(BODY.encode(), len(SECRET), b',"status":"approved"}')
    mismatch("length-extension", "A hash with the secret in front, extended without knowing it.",
             sha256(SECRET, extended), body=extended)
    mismatch("key-and-message-swapped", "The body is the message, the secret the key.", sign(SECRET, BODY))
    mismatch("hmac-of-the-hash", "The body itself is signed, not its digest.",
             sign(hashlib.sha256(BODY.encode()).digest()))
    mismatch("hmac-of-the-hmac", "The body is signed once.", sign(bytes.fromhex(GOOD)))
    mismatch("path-signed-too", "Veriff signs the body and nothing else.", sign(DECISIONS + BODY))
    mismatch("timestamp-signed-too", "Veriff signs the body and nothing else.", sign("1781311110." + BODY))
    mismatch("session-id-signed", "That is how Veriff's API is called; a webhook is signed over its body.",
             sign("f04bdb47-d3be-4b28-b028-a652feb060b5"))
    mismatch("another-body", "A genuine signature, but over another webhook.", sign(EVENT))
    mismatch("nothing-signed", "A genuine signature, but over nothing.", sign(""))
    mismatch("wrong-secret-listed-key", "A known API key makes nothing genuine.", BAD, api_keys=[API_KEY])
    mismatch("wrong-secret-unlisted-key", "Whoever can't sign learns nothing about API keys.", BAD,
             api_keys=[OTHER_API_KEY])


def extend(message: bytes, prefix: int, more: bytes) -> bytes:
    """The message that a SHA-256 over `prefix` unknown bytes and `message` can be extended to."""
    length = prefix + len(message)
    padding = b"\x80" + b"\0" * ((55 - length) % 64) + struct.pack(">Q", 8 * length)
    return message + padding + more


def secrets():
    def genuine(name, why, secret, active=None):
        case(name, why, signature=sign(BODY, secret), secrets=active or [secret])

    def mismatch(name, why, secret, active=(SECRET,)):
        case(name, why, signature=sign(BODY, secret), secrets=active, refusal="signature_mismatch")

    genuine("rotation-old-secret", "While a secret is replaced, both are active.", SECRET, [SECRET, OTHER_SECRET])
    genuine("rotation-new-secret", "While a secret is replaced, both are active.", OTHER_SECRET, [SECRET, OTHER_SECRET])
    five = [f"{n}abcdef-{OTHER_SECRET}" for n in range(5)]
    genuine("rotation-fifth-secret", "Veriff allows five active secrets and does not say which one signs.", five[4],
            five)
    mismatch("rotation-revoked-secret", "Once it is off the list, a secret proves nothing.", THIRD_SECRET,
             [SECRET, OTHER_SECRET])
    mismatch("secret-of-another-integration", "Each integration has its own secrets.", OTHER_SECRET)
    mismatch("empty-key", "An unset variable must never sign.", "")
    mismatch("api-key-as-secret", "The API key is public.", API_KEY)
    mismatch("both-secrets-in-one", "Secrets are tried one by one.", SECRET + OTHER_SECRET, [SECRET, OTHER_SECRET])
    mismatch("secret-cut-short", "All of the secret signs.", SECRET[:-1])
    mismatch("secret-and-line-break", "The secret is taken literally.", SECRET + "\n")
    mismatch("secret-and-nul", "The secret is taken literally; HMAC itself can't tell keys apart that differ only in "
             "NULs at the end of a block, so this one reaches beyond it.", SECRET + "\0" * 64)
    mismatch("secret-in-upper-case", "The secret is taken literally.", SECRET.upper())
    capitals = "Zm9vYmFyLWJhei1xdXV4LUNvcmdl"
    genuine("secret-with-capitals", "The secret is taken literally.", capitals)
    mismatch("secret-in-lower-case", "The secret is taken literally.", capitals.lower(), [capitals])
    mismatch("secret-without-hyphens", "The secret is taken literally.", SECRET.replace("-", ""))
    mismatch("secret-decoded-as-uuid", "It looks like a UUID and is not decoded.", uuid.UUID(SECRET).bytes)
    mismatch("secret-in-base64", "The secret is taken literally.", base64.b64encode(SECRET.encode()))
    mismatch("secret-as-utf-16", "The secret is taken as UTF-8.", SECRET.encode("utf-16-le"))
    pattern = hashlib.sha512(b"a pattern").hexdigest() + "-padding"
    genuine("secret-of-16-characters", "The shortest one allowed.", pattern[:16])
    for length, why in ((63, "One byte under the block of SHA-256."), (64, "A whole block of SHA-256."),
                        (65, "HMAC hashes keys beyond a block."), (131, "The long key of RFC 4231, in ASCII.")):
        genuine(f"secret-of-{length}-bytes", why, pattern[:length])
    mismatch("long-secret-cut-to-a-block", "Keys beyond a block are hashed, not cut.", pattern[:64], [pattern[:131]])
    # The hash of a long key is an equal key, by the definition of HMAC, but no text.
    mismatch("long-secret-hashed-to-hex", "Keys beyond a block are hashed, not written as hex.", sha256(pattern[:131]),
             [pattern[:131]])
    genuine("secret-beyond-ascii", "The secret's UTF-8 signs.",
            "s\u00e9cret-\u043a\u043b\u044e\u0447-\u9375-\U0001f511-2026")
    composed = "cl\u00e9-partag\u00e9e-2026-06"
    mismatch("secret-in-another-normal-form", "Equal to the eye is not equal.",
             unicodedata.normalize("NFD", composed), [composed])
    genuine("secret-with-punctuation", "Nothing in a secret is special.", 'q"u\\o/t\te %41 &amp; \'s\' {x}')


def bodies():
    def genuine(name, why, body):
        case(name, why, body=body, signature=sign(body))

    def mismatch(name, why, body, signed=BODY):
        case(name, why, body=body, signature=sign(signed), refusal="signature_mismatch")

    genuine("empty-body", "Signed right, so genuine, and unreadable only then.", "")
    genuine("white-space-body", "Signed right, so genuine, and unreadable only then.", " \r\n\t")
    genuine("broken-json", "A proof does not read.", '{"verification":')
    genuine("not-utf-8", "A signature covers bytes.", b'{"name":"\xff\xfe\x80"}')
    genuine("utf-16", "A signature covers bytes.", b"\xff\xfe" + EVENT.encode("utf-16-le"))
    genuine("byte-order-mark", "A signature covers bytes.", b"\xef\xbb\xbf" + EVENT.encode())
    genuine("nul-bytes", "A NUL ends strings in C alone.", "\0" + EVENT + "\0")
    # gzip of `{}`, written out, since zlib's versions compress differently.
    gzip = bytes.fromhex("1f8b0800000000000003abae050043bfa6a302000000")
    genuine("compressed", "What was signed is what came; nothing is inflated.", gzip)
    for length in (55, 56, 63, 64, 65, 119, 128):
        text = '{"padding":"' + "p" * (length - 14) + '"}'
        genuine(f"body-of-{length}-bytes", "Around the blocks of SHA-256.", text)

    mismatch("line-break-appended", "Every byte counts.", BODY + "\n")
    mismatch("space-prepended", "Every byte counts.", " " + BODY)
    mismatch("byte-order-mark-prepended", "Every byte counts.", "\ufeff" + BODY)
    mismatch("nul-appended", "Every byte counts.", BODY + "\0")
    mismatch("cut-short", "Every byte counts.", BODY[:-1])
    mismatch("emptied", "Every byte counts.", "")
    mismatch("bit-flipped", "Every bit counts.", BODY.replace("approved", "approvee"))
    mismatch("declined-made-approved", "The reason to forge one.", BODY,
             signed=BODY.replace("approved", "declined").replace("9001", "9102"))
    document = json.loads(BODY)
    mismatch("written-anew-with-spaces", "To re-serialise is to sign something else.",
             json.dumps(document, ensure_ascii=False))
    mismatch("written-anew-in-order", "To re-serialise is to sign something else.",
             json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    mismatch("written-anew-with-escapes", "To re-serialise is to sign something else.",
             json.dumps(document, separators=(",", ":")))
    mismatch("number-respelled", "To re-serialise is to sign something else.", BODY.replace("9001", "9001.0"))
    mismatch("another-normal-form", "Equal to the eye is not equal.", unicodedata.normalize("NFD", BODY))
    mismatch("latin-1", "The same text in other bytes.", BODY.encode("latin-1"))
    mismatch("utf-16-of-what-was-signed", "The same text in other bytes.", BODY.encode("utf-16-le"))
    mismatch("base64-of-what-was-signed", "The gateway's base64 is undone before.", base64.b64encode(BODY.encode()))
    broken = b'{"name":"\xff\xfe\x80"}'
    mismatch("replacement-characters", "Bytes that a text conversion has replaced are lost.",
             broken.decode(errors="replace"), signed=broken)
    mismatch("second-document-appended", "Every byte counts.", BODY + BODY)
    mismatch("urlencoded", "The same text in other bytes.", "payload=" + BODY)


def headers():
    def refused(name, why, refusal, *pairs):
        case(name, why, headers=pairs, refusal=refusal)

    missing, repeated = "signature_missing", "signature_repeated"
    legacy = sha256(BODY, SECRET)
    refused("no-headers", "Nothing is signed.", missing)
    refused("api-key-only", "The API key proves nothing.", missing, (CLIENT, API_KEY))
    refused("legacy-signature-only", "The legacy header is not accepted.", missing, ("x-signature", legacy))
    refused("good-signature-under-the-legacy-name", "The legacy header is not accepted.", missing,
            ("x-signature", GOOD))
    for name in ("x_hmac_signature", "x-hmac-signature-256", "hmac-signature", "x-hmac-signature ",
                 "x-hmac-sign\u0430ture",
                 "x-veriff-hmac-signature", "authorization"):
        refused(f"header-named-{name}", "A similar name is another header.", missing, (name, GOOD))
    refused("legacy-does-not-rescue-a-bad-one", "A right legacy signature makes up for nothing.", "signature_mismatch",
            (SIGNATURE, BAD), ("x-signature", legacy))
    refused("legacy-does-not-rescue-an-empty-one", "A right legacy signature makes up for nothing.",
            "signature_malformed", (SIGNATURE, ""), ("x-signature", legacy))
    refused("legacy-as-the-signature", "The legacy algorithm is not accepted under any name.", "signature_mismatch",
            (SIGNATURE, legacy))

    why = "Nobody can say which one counts."
    refused("doubled-good-bad", why, repeated, (SIGNATURE, GOOD), (SIGNATURE, BAD))
    refused("doubled-bad-good", why, repeated, (SIGNATURE, BAD), (SIGNATURE, GOOD))
    refused("doubled-good-good", "No client of Veriff's sends it twice.", repeated, (SIGNATURE, GOOD),
            (SIGNATURE, GOOD))
    refused("doubled-in-another-case", "Header names have no case.", repeated, (SIGNATURE, GOOD),
            (SIGNATURE.upper(), BAD))
    refused("doubled-with-an-empty-one", why, repeated, (SIGNATURE, ""), (SIGNATURE, GOOD))
    refused("doubled-apart", why, repeated, (SIGNATURE, GOOD), (CLIENT, API_KEY), (SIGNATURE, BAD))
    refused("doubled-alias", why, repeated, (SIGNATURE_ALIAS, GOOD), (SIGNATURE_ALIAS, BAD))
    refused("doubled-alias-beside-a-good-one", why, repeated,
            (SIGNATURE, GOOD), (SIGNATURE_ALIAS, GOOD), (SIGNATURE_ALIAS, GOOD))
    refused("many-signature-headers", why, repeated, *[(SIGNATURE, BAD)] * 99, (SIGNATURE, GOOD))
    refused("good-name-bad-alias", "Both names of a pair must agree.", repeated, (SIGNATURE, GOOD),
            (SIGNATURE_ALIAS, BAD))
    refused("bad-name-good-alias", "Both names of a pair must agree.", repeated, (SIGNATURE, BAD),
            (SIGNATURE_ALIAS, GOOD))
    refused("good-name-empty-alias", "Both names of a pair must agree.", repeated, (SIGNATURE, GOOD),
            (SIGNATURE_ALIAS, ""))
    refused("empty-name-good-alias", "Both names of a pair must agree.", repeated, (SIGNATURE, ""),
            (SIGNATURE_ALIAS, GOOD))
    refused("name-and-alias-bad-alike", "To agree is not to be right.", "signature_mismatch",
            (SIGNATURE, BAD), (SIGNATURE_ALIAS, BAD))
    refused("bad-alias-alone", "The alias is checked like the name.", "signature_mismatch", (SIGNATURE_ALIAS, BAD))
    refused("malformed-alias-alone", "The alias is checked like the name.", "signature_malformed",
            (SIGNATURE_ALIAS, "good"))


def api_keys():
    def listed(name, why, *pairs, keys=(API_KEY,), refusal=None):
        case(name, why, headers=[(SIGNATURE, GOOD), *pairs], api_keys=keys, refusal=refusal)

    listed("api-key-listed", "An API key of the allow-list.", (CLIENT, API_KEY))
    listed("api-key-listed-second", "Any entry may match.", (CLIENT, API_KEY), keys=[OTHER_API_KEY, API_KEY])
    listed("api-key-listed-under-the-alias", "Veriff documents both names.", (CLIENT_ALIAS, API_KEY))
    listed("api-key-list-empty", "An empty list asks for nothing.", (CLIENT, OTHER_API_KEY), keys=[])
    unknown = "api_key_unknown"
    listed("api-key-unlisted", "The signature holds, but it is another integration's.", (CLIENT, OTHER_API_KEY),
           refusal=unknown)
    listed("api-key-missing", "Where there is a list, the key must be on it.", refusal=unknown)
    listed("api-key-empty", "Where there is a list, the key must be on it.", (CLIENT, ""), refusal=unknown)
    listed("api-key-in-upper-case", "The key is taken literally.", (CLIENT, API_KEY.upper()), refusal=unknown)
    listed("api-key-cut-short", "The key is taken literally.", (CLIENT, API_KEY[:-1]), refusal=unknown)
    listed("api-key-with-space", "The key is taken literally.", (CLIENT, API_KEY + " "), refusal=unknown)
    listed("api-keys-comma-joined", "API Gateway joins a doubled header with a comma.",
           (CLIENT, f"{API_KEY},{API_KEY}"), refusal=unknown)
    listed("api-key-doubled", "Nobody can say which one counts.", (CLIENT, API_KEY), (CLIENT, OTHER_API_KEY),
           refusal=unknown)
    listed("api-key-aliases-disagree", "Both names of a pair must agree.",
           (CLIENT, API_KEY), (CLIENT_ALIAS, OTHER_API_KEY), refusal=unknown)
    listed("api-key-aliases-disagree-without-a-list", "Both names of a pair must agree, list or not.",
           (CLIENT, API_KEY), (CLIENT_ALIAS, OTHER_API_KEY), keys=None, refusal=unknown)
    listed("api-key-doubled-without-a-list", "Nobody can say which one counts, list or not.",
           (CLIENT, API_KEY), (CLIENT, API_KEY), keys=None, refusal=unknown)


def methods_and_paths():
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "POST ", ""):
        case(f"method-{method or 'empty'}", "Webhooks are POSTs, and methods have case.", method=method,
             refusal="method_not_allowed")
    case("method-before-signature", "Nothing else of a wrong method is looked at.", method="GET", headers=[],
         refusal="method_not_allowed")
    for path in ("", "/", "/veriff", "/veriff/", "/Veriff/Decisions", "/veriff/decision",
                 "/veriff/decisions/1", "/veriff/decisions/%2F", "/veriff/decisions%2F", "/veriff/%2Fdecisions",
                 "/decisions//", "/veriff/decisions/..", "/veriff/decisions?",
                 "/veriff/decisions%00",
                 "/veriff%2Fdecisions", "/veriff\\decisions", "/notveriff/decisions", "veriff/decisions",
                 "/incode/decisions",
                 "/veriff/events\n", "/veriff/d\u0435cisions"):
        case(f"path-{path or 'empty'}", "Neither of Veriff's two paths.", path=path, refusal="path_unknown")
    case("path-before-signature", "Nothing else of an unknown path is looked at.", path="/veriff", headers=[],
         refusal="path_unknown")


def main() -> None:
    for group in (what_is_signed_right, signatures_that_no_signer_makes, signatures_over_something_else, secrets,
                  bodies, headers, api_keys, methods_and_paths):
        group()
    CASES.add_gates()
    CASES.write()


if __name__ == "__main__":
    main()
