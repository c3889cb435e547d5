#!/usr/bin/env python3
"""Writes wultra.json: deliveries that Wultra's proof has to accept or refuse, and why; conformance.py says what a case holds."""
from __future__ import annotations

import base64
import hashlib
import unicodedata

from conformance import Cases

PATH = "/wultra/process/event"
USER, PASSWORD = "wultra", "b1946ac9-2cf2-4f2e-a1d0-6f3c5e8d7a42"
OTHER_USER, OTHER_PASSWORD = "wultra-next", "7c211433-f02e-4a59-9d3b-0c8a6e1f5b90"
REVOKED_PASSWORD = "9e107d9d-3727-4bb6-826b-d81d3542a419"
HEADER, KEY = "x-onboarding-key", "e4d909c2-90d0-4b1c-a068-ffaddf22cbd0"
OTHER_HEADER, OTHER_KEY = "x-tenant-key", "d131dd02-c5e6-4ec4-893d-9a0698aff95c"
NEXT_KEY = "f96b697d-7cb7-4938-925a-2f99aa69bfed"

BODY = (
    '{"id":"8f0d649e-a688-4ead-8581-fc2b67e88be4","timestamp":"2026-04-23T14:30:00Z","type":"PROCESS_FINISHED",'
    '"userId":"S\u00c1MPLE-1","externalUserId":null,"processId":"8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26",'
    '"processType":"onboarding","identityVerificationId":null,'
    '"eventData":{"process":{"status":"FINISHED","errorDetail":null}}}'
)

# In base64, this password has the two characters that the URL-safe alphabet has not.
PLUS_AND_SLASH = "\u00fb\u00ef\u00be\u00fb\u00ff~~~???>>>0123"

CASES = Cases("wultra")


def octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def encode(user: str | bytes, password: str | bytes) -> str:
    return base64.b64encode(octets(user) + b":" + octets(password)).decode()


def basic(user: str | bytes = USER, password: str | bytes = PASSWORD) -> str:
    return "Basic " + encode(user, password)


def logins(*pairs) -> dict:
    """Credentials with these logins; a plain password goes with the usual user."""
    return {"basic": [{"username": user, "password": password} for user, password in pairs or [(USER, PASSWORD)]]}


def keys(**headers) -> dict:
    """Credentials with these header values; without any, the usual one."""
    return {"headers": {name.replace("_", "-"): values for name, values in headers.items()} or {HEADER: [KEY]}}


GOOD = basic()
BAD = basic(password=OTHER_PASSWORD)
BOTH = {**logins(), **keys()}


def case(name, why, *, refusal=None, credentials=None, headers=None, authorization=GOOD, body=BODY, method="POST",
         path=PATH):
    """Adds a case. Without `headers`, `authorization` is all there is beside the content type."""
    if headers is None:
        headers = [("content-type", "application/json"), ("authorization", authorization)]
    CASES.add(name, why, credentials=credentials or logins(), path=path, method=method, headers=headers,
              body=octets(body), refusal=refusal)


def logins_that_hold():
    case("login", "The usual event, with a character beyond ASCII in it.")
    case("login-without-content-type", "The content type is never checked.", headers=[("authorization", GOOD)])
    for content_type in ("text/plain", "application/json; charset=utf-16", ""):
        case(f"content-type-{content_type or 'empty'}", "The content type is never checked.",
             headers=[("content-type", content_type), ("authorization", GOOD)])
    for name in ("Authorization", "AUTHORIZATION", "aUTHORIZATION"):
        case(f"header-name-{name}", "Header names have no case.", headers=[(name, GOOD)])
    for scheme in ("basic", "BASIC", "bAsIc"):
        case(f"scheme-{scheme}", "RFC 9110: a scheme has no case.", authorization=f"{scheme} {encode(USER, PASSWORD)}")
    case("scheme-and-two-spaces", "RFC 9110 allows several spaces after the scheme.",
         authorization=f"Basic  {encode(USER, PASSWORD)}")
    case("secret-prefix-before-the-path", "The base URL at Wultra is free text, so that it may hold a secret.",
         path="/c4ca4238a0b92382/wultra/process/event")
    case("stage-before-the-path", "An API Gateway stage comes before the path.", path="/production" + PATH)
    for path in ("/wultra/process/event/", "/wultra//process/event", "/wultra/process//event",
                 "//wultra/process/event//"):
        case(f"slashes-in-{path}", "Doubled and last slashes come from putting URLs together, and mean nothing.",
             path=path)
    case("correlation-ids-ignored", "They are fresh with each call and prove nothing.",
         headers=[("x-correlation-id", "1"), ("x-request-id", "2"), ("authorization", GOOD)])
    case("method-override-ignored", "What counts is the method of the request.",
         headers=[("authorization", GOOD), ("x-http-method-override", "DELETE")])
    case("other-header-doubled", "Only a doubled proof is ambiguous.",
         headers=[("accept", "a"), ("accept", "b"), ("authorization", GOOD)])
    case("other-header-beyond-ascii", "Nobody else's header matters.",
         headers=[("x-note", "\u0416\u0443\u043a \U0001f41e"), ("authorization", GOOD)])
    case("unasked-for-key-ignored", "A header that is not configured counts neither for nor against.",
         headers=[("authorization", GOOD), (HEADER, "anything")])
    case("proxy-authorization-ignored", "It is for proxies.",
         headers=[("authorization", GOOD), ("proxy-authorization", BAD)])

    def holds(name, why, password, user=USER):
        case(name, why, authorization=basic(user, password), credentials=logins((user, password)))

    holds("password-with-colons", "The first colon ends the name; the password may hold more.", "a:9b::N:4vR7tK2wQ5zX8:")
    holds("password-starts-with-a-colon", "The first colon ends the name.", ":9bN4vR7tK2wQ5zX8")
    holds("password-beyond-ascii", "RFC 7617: the name and the password are UTF-8.",
          "p\u00e1ssw\u00f6rd-\u043a\u043b\u044e\u0447-\u9375-\U0001f511")
    holds("user-beyond-ascii", "RFC 7617: the name and the password are UTF-8.", PASSWORD, "jos\u00e9")
    holds("password-with-punctuation", "Nothing in a password is special.", "q\"u\\o/t\te %41 &amp; 's' {x}")
    holds("password-of-16-characters", "The shortest one allowed.", "9bN4vR7tK2wQ5zX8")
    holds("password-of-1000-characters", "There is no longest one.", "".join(hashlib.sha256(b"%d" % part).hexdigest() for part in range(16))[:1000])
    for password in ("9bN4vR7tK2wQ5zX8", "9bN4vR7tK2wQ5zX8g", "9bN4vR7tK2wQ5zX8gh"):
        holds(f"padding-of-{encode(USER, password).count('=')}", "Every length of padding.", password)
    holds("base64-with-plus-and-slash", "The standard alphabet has both.", PLUS_AND_SLASH)
    case("latin-1-password", "Spring's clients write Latin-1 where nobody tells them otherwise.",
         credentials=logins((USER, "cl\u00e9-partag\u00e9e-2026-04")),
         authorization=basic(password="cl\u00e9-partag\u00e9e-2026-04".encode("latin-1")))


def rotation():
    pairs = [(USER, PASSWORD), (OTHER_USER, OTHER_PASSWORD), (USER, OTHER_PASSWORD)]
    credentials = logins(*pairs)
    for at, (user, password) in enumerate(pairs):
        case(f"rotation-login-{at + 1}", "While a login is replaced, any of the list is accepted.",
             authorization=basic(user, password), credentials=credentials)
    mismatch = "authorization_mismatch"
    case("rotation-revoked-password", "Once it is off the list, a password proves nothing.",
         authorization=basic(password=REVOKED_PASSWORD), credentials=credentials, refusal=mismatch)
    case("rotation-password-of-another-user", "Name and password are of one login.",
         authorization=basic(OTHER_USER, PASSWORD), credentials=credentials, refusal=mismatch)
    case("rotation-both-passwords", "Passwords are tried one by one.",
         authorization=basic(password=PASSWORD + OTHER_PASSWORD), credentials=credentials, refusal=mismatch)


def logins_that_do_not_match():
    def mismatch(name, why, user=USER, password=PASSWORD, **more):
        case(name, why, authorization=basic(user, password), refusal="authorization_mismatch", **more)

    mismatch("wrong-password", "Another password.", password=OTHER_PASSWORD)
    mismatch("wrong-user", "The name has to be right too.", user=OTHER_USER)
    mismatch("both-wrong", "Neither is right.", OTHER_USER, OTHER_PASSWORD)
    mismatch("empty-password", "An unset variable must never log in.", password="")
    mismatch("empty-user", "The name has to be right too.", user="")
    mismatch("both-empty", "An unset variable must never log in.", "", "")
    mismatch("password-cut-short", "All of the password counts.", password=PASSWORD[:-1])
    mismatch("password-without-its-start", "All of the password counts.", password=PASSWORD[1:])
    mismatch("first-character-of-the-password", "All of the password counts.", password=PASSWORD[0])
    mismatch("password-and-more", "Nothing else counts.", password=PASSWORD + "x")
    for name, end in (("line-break", "\n"), ("space", " "), ("nul", "\0"), ("colon", ":")):
        mismatch(f"password-and-{name}", "The password is taken literally.", password=PASSWORD + end)
    mismatch("space-and-password", "The password is taken literally.", password=" " + PASSWORD)
    mismatch("password-in-upper-case", "The password has case.", password=PASSWORD.upper())
    mismatch("user-in-upper-case", "The name has case.", user=USER.upper())
    mismatch("user-and-space", "The name is taken literally.", user=USER + " ")
    mismatch("user-cut-short", "All of the name counts.", user=USER[:-1])
    mismatch("user-and-password-swapped", "Each has its place.", PASSWORD, USER)
    mismatch("password-twice", "Nothing else counts.", password=PASSWORD * 2)
    mismatch("user-twice", "The first colon ends the name.", password=f"{USER}:{PASSWORD}")
    mismatch("password-in-base64", "The password is taken literally.",
             password=base64.b64encode(PASSWORD.encode()))
    mismatch("password-percent-encoded", "The password is taken literally.", password=PASSWORD.replace("-", "%2D"))
    composed = "cl\u00e9-partag\u00e9e-2026-04"
    mismatch("password-in-another-normal-form", "Equal to the eye is not equal.",
             password=unicodedata.normalize("NFD", composed), credentials=logins((USER, composed)))
    mismatch("user-with-a-look-alike", "Equal to the eye is not equal.", user="wultr\u0430")
    mismatch("utf-16-login", "The name and the password are UTF-8.", USER.encode("utf-16-le"),
             PASSWORD.encode("utf-16-le"))
    mismatch("bytes-that-are-no-text", "They are no login of ours.", b"\xff\xfe\xfd", b"\x80\x81")


def headers_that_no_client_makes():
    def malformed(name, why, authorization):
        case(name, why, authorization=authorization, refusal="authorization_malformed")

    encoded = encode(USER, PASSWORD)
    assert encoded.endswith("==")
    for name, text in (("empty", ""), ("space", " "), ("tab", "\t")):
        malformed(f"authorization-{name}", "There is nothing in it.", text)
    malformed("scheme-alone", "No name and no password follow.", "Basic")
    malformed("scheme-and-space-alone", "No name and no password follow.", "Basic ")
    malformed("no-scheme", "It has to say that it is Basic.", encoded)
    malformed("scheme-joined", "A space is to follow the scheme.", "Basic" + encoded)
    malformed("scheme-and-tab", "A space is to follow the scheme.", "Basic\t" + encoded)
    malformed("scheme-and-colon", "A space is to follow the scheme.", "Basic: " + encoded)
    malformed("space-before-the-scheme", "No client sends it.", " " + GOOD)
    malformed("scheme-with-a-look-alike", "Equal to the eye is not equal.", "B\u0430sic " + encoded)
    for scheme in ("Bearer", "Digest", "Negotiate", "Token", "Basic Basic", "XBasic", "Basic-X"):
        malformed(f"scheme-{scheme}", "Another scheme.", f"{scheme} {encoded}")
    malformed("digest-parameters", "Another scheme.", f'Digest username="{USER}", realm="x", response="{"0" * 32}"')
    malformed("login-not-encoded", "Basic is written in base64.", f"Basic {USER}:{PASSWORD}")
    malformed("login-in-hex", "Basic is written in base64.", "Basic " + f"{USER}:{PASSWORD}".encode().hex() + ":")
    malformed("encoded-twice", "There is no colon in it.", "Basic " + base64.b64encode(encoded.encode()).decode())
    malformed("no-colon", "A colon ends the name.", "Basic " + base64.b64encode((USER + PASSWORD).encode()).decode())
    malformed("full-width-colon", "Another character.",
              "Basic " + base64.b64encode(f"{USER}\uff1a{PASSWORD}".encode()).decode())
    malformed("unpadded", "RFC 7617 means base64 with its padding.", GOOD.rstrip("="))
    malformed("padded-too-much", "Nobody pads like that.", GOOD + "=")
    trailing = encoded[:-3] + chr(ord(encoded[-3]) + 1) + "=="
    assert base64.b64decode(trailing) == base64.b64decode(encoded)
    malformed("trailing-bits", "One login has one spelling.", "Basic " + trailing)
    special = encode(USER, PLUS_AND_SLASH)
    assert {"+", "/"} <= set(special)
    malformed("url-safe-alphabet", "RFC 7617 means the standard alphabet.",
              "Basic " + special.replace("+", "-").replace("/", "_"))
    for name, character in (("line-break", "\n"), ("folded-line", "\r\n "), ("space", " "), ("nul", "\0"),
                            ("comma", ","), ("soft-hyphen", "\u00ad")):
        malformed(f"{name}-within", "Nothing but base64 belongs there.",
                  f"Basic {encoded[:20]}{character}{encoded[20:]}")
    malformed("line-break-after", "Nothing but base64 belongs there.", GOOD + "\n")
    malformed("space-after", "Nothing but base64 belongs there.", GOOD + " ")
    malformed("full-width-letters", "Only ASCII is base64.", "Basic " + encoded.replace("d", "\uff44"))
    malformed("quoted", "Nothing but base64 belongs there.", f'Basic "{encoded}"')
    malformed("comma-joined-good-bad", "API Gateway joins a doubled header with a comma.", f"{GOOD},{BAD}")
    malformed("comma-joined-bad-good", "API Gateway joins a doubled header with a comma.", f"{BAD}, {GOOD}")
    malformed("ten-kilobytes", "Nobody's login is that long.", "Basic " + "A" * 10_241)


def authorization_headers():
    def refused(name, why, refusal, *pairs):
        case(name, why, headers=pairs, refusal=refusal)

    missing, repeated = "authorization_missing", "authorization_repeated"
    refused("no-headers", "Nobody logs in.", missing)
    for name in ("x-authorization", "authorisation", "authorization ", "proxy-authorization", "auth",
                 "authoriz\u0430tion", "www-authenticate", "cookie"):
        refused(f"header-named-{name}", "A similar name is another header.", missing, (name, GOOD))
    refused("user-and-password-headers", "A login is in its header.", missing, ("username", USER),
            ("password", PASSWORD))
    refused("key-where-a-login-is-asked-for", "A right value for something else.", missing, (HEADER, PASSWORD))
    why = "Nobody can say which one counts."
    refused("doubled-good-bad", why, repeated, ("authorization", GOOD), ("authorization", BAD))
    refused("doubled-bad-good", why, repeated, ("authorization", BAD), ("authorization", GOOD))
    refused("doubled-good-good", why, repeated, ("authorization", GOOD), ("authorization", GOOD))
    refused("doubled-in-another-case", "Header names have no case.", repeated, ("authorization", GOOD),
            ("AUTHORIZATION", BAD))
    refused("doubled-with-an-empty-one", why, repeated, ("authorization", ""), ("authorization", GOOD))
    refused("doubled-with-a-bearer", why, repeated, ("authorization", "Bearer x"), ("authorization", GOOD))
    refused("many-authorization-headers", why, repeated, *[("authorization", BAD)] * 99, ("authorization", GOOD))


def static_headers():
    def keyed(name, why, *pairs, credentials=None, refusal=None, **more):
        case(name, why, headers=pairs, credentials=credentials or keys(), refusal=refusal, **more)

    missing, repeated, mismatch = "secret_header_missing", "secret_header_repeated", "secret_header_mismatch"
    keyed("key", "The usual event.", (HEADER, KEY))
    for name in (HEADER.upper(), "X-Onboarding-Key"):
        keyed(f"key-named-{name}", "Header names have no case.", (name, KEY))
    keyed("key-configured-in-capitals", "Header names have no case.", (HEADER, KEY),
          credentials=keys(X_ONBOARDING_KEY=[KEY]))
    keyed("key-beside-a-wrong-login", "A login that is not configured is not looked at.", (HEADER, KEY),
          ("authorization", BAD))
    keyed("key-beside-two-logins", "A login that is not configured is not looked at.", (HEADER, KEY),
          ("authorization", BAD), ("authorization", GOOD))
    literal = "a key with spaces, \"quotes\" and \u00e9"
    keyed("key-with-spaces", "The value is taken literally.", (HEADER, literal),
          credentials=keys(x_onboarding_key=[literal]))
    keyed("key-in-the-authorization-header", "Any header may be configured.", ("Authorization", f"Key {KEY}"),
          credentials=keys(authorization=[f"Key {KEY}"]))
    rotated = keys(x_onboarding_key=[KEY, NEXT_KEY])
    keyed("key-rotation-old", "While a value is replaced, both are accepted.", (HEADER, KEY), credentials=rotated)
    keyed("key-rotation-new", "While a value is replaced, both are accepted.", (HEADER, NEXT_KEY), credentials=rotated)
    keyed("key-rotation-revoked", "Once it is off the list, a value proves nothing.", (HEADER, OTHER_KEY),
          credentials=rotated, refusal=mismatch)
    keyed("key-rotation-both", "Values are tried one by one.", (HEADER, f"{KEY},{NEXT_KEY}"), credentials=rotated,
          refusal=mismatch)

    two = keys(x_onboarding_key=[KEY], x_tenant_key=[OTHER_KEY])
    keyed("two-keys", "Every configured header holds.", (OTHER_HEADER, OTHER_KEY), (HEADER, KEY), credentials=two)
    keyed("two-keys-first-alone", "Every configured header must hold.", (HEADER, KEY), credentials=two, refusal=missing)
    keyed("two-keys-second-alone", "Every configured header must hold.", (OTHER_HEADER, OTHER_KEY), credentials=two,
          refusal=missing)
    keyed("two-keys-first-wrong", "Every configured header must hold.", (HEADER, NEXT_KEY), (OTHER_HEADER, OTHER_KEY),
          credentials=two, refusal=mismatch)
    keyed("two-keys-second-wrong", "Every configured header must hold.", (HEADER, KEY), (OTHER_HEADER, NEXT_KEY),
          credentials=two, refusal=mismatch)
    keyed("two-keys-swapped", "Each header has its own values.", (HEADER, OTHER_KEY), (OTHER_HEADER, KEY),
          credentials=two, refusal=mismatch)

    keyed("key-missing", "Nothing proves it.", refusal=missing)
    keyed("key-missing-beside-a-login", "A login that is not configured makes up for nothing.", ("authorization", GOOD),
          refusal=missing)
    for name in ("x_onboarding_key", "x-onboarding-key ", "x-onboarding", "onboarding-key", "x-onboarding-key-2",
                 "x-onboarding-k\u0435y"):
        keyed(f"key-named-{name}", "A similar name is another header.", (name, KEY), refusal=missing)
    for name, value, why in (
        ("empty", "", "An unset variable must never prove anything."),
        ("space", " ", "An unset variable must never prove anything."),
        ("wrong", NEXT_KEY, "Another value."),
        ("cut-short", KEY[:-1], "All of the value counts."),
        ("first-character", KEY[0], "All of the value counts."),
        ("and-more", KEY + "0", "Nothing else counts."),
        ("and-space", KEY + " ", "The value is taken literally."),
        ("after-space", " " + KEY, "The value is taken literally."),
        ("and-line-break", KEY + "\n", "The value is taken literally."),
        ("and-nul", KEY + "\0", "The value is taken literally."),
        ("in-upper-case", KEY.upper(), "The value has case."),
        ("without-hyphens", KEY.replace("-", ""), "The value is taken literally."),
        ("quoted", f'"{KEY}"', "The value is taken literally."),
        ("with-a-scheme", f"Basic {KEY}", "The value is taken literally."),
        ("in-base64", base64.b64encode(KEY.encode()).decode(), "The value is taken literally."),
        ("with-a-look-alike", KEY.replace("e", "\u0435"), "Equal to the eye is not equal."),
        ("comma-joined", f"{KEY},{KEY}", "API Gateway joins a doubled header with a comma."),
        ("comma-joined-good-bad", f"{KEY}, {NEXT_KEY}", "API Gateway joins a doubled header with a comma."),
        ("ten-kilobytes", "e" * 10_241, "Another value."),
    ):
        keyed(f"key-{name}", why, (HEADER, value), refusal=mismatch)
    why = "Nobody can say which one counts."
    keyed("key-doubled-good-bad", why, (HEADER, KEY), (HEADER, NEXT_KEY), refusal=repeated)
    keyed("key-doubled-bad-good", why, (HEADER, NEXT_KEY), (HEADER, KEY), refusal=repeated)
    keyed("key-doubled-good-good", why, (HEADER, KEY), (HEADER, KEY), refusal=repeated)
    keyed("key-doubled-in-another-case", "Header names have no case.", (HEADER, KEY), (HEADER.upper(), NEXT_KEY),
          refusal=repeated)
    keyed("key-doubled-under-rotation", why, (HEADER, KEY), (HEADER, NEXT_KEY), credentials=rotated, refusal=repeated)


def both_configured():
    def both(name, why, refusal, *pairs):
        case(name, why, headers=pairs, credentials=BOTH, refusal=refusal)

    login, key = ("authorization", GOOD), (HEADER, KEY)
    both("both", "Both are configured, and both hold.", None, login, key)
    both("both-in-the-other-order", "The order of headers says nothing.", None, key, login)
    both("both-login-alone", "Every configured proof must hold.", "secret_header_missing", login)
    both("both-key-alone", "Every configured proof must hold.", "authorization_missing", key)
    both("both-wrong-login", "A right key makes up for nothing.", "authorization_mismatch", ("authorization", BAD), key)
    both("both-malformed-login", "A right key makes up for nothing.", "authorization_malformed",
         ("authorization", "Bearer x"), key)
    both("both-doubled-login", "A right key makes up for nothing.", "authorization_repeated", login, login, key)
    both("both-wrong-key", "A right login makes up for nothing.", "secret_header_mismatch", login, (HEADER, NEXT_KEY))
    both("both-empty-key", "A right login makes up for nothing.", "secret_header_mismatch", login, (HEADER, ""))
    both("both-doubled-key", "A right login makes up for nothing.", "secret_header_repeated", login, key, key)
    both("both-wrong-both", "The login is looked at first.", "authorization_mismatch", ("authorization", BAD),
         (HEADER, NEXT_KEY))
    both("both-swapped", "Each has its own header.", "authorization_malformed", ("authorization", KEY), (HEADER, GOOD))
    both("both-password-as-key", "Each has its own secret.", "secret_header_mismatch", login, (HEADER, PASSWORD))
    both("both-missing", "Nothing proves it.", "authorization_missing")


def bodies():
    why = "Nothing of the body is covered: who logs in vouches for all of it."
    for name, body in (("empty-body", ""), ("white-space-body", " \r\n\t"), ("broken-json", '{"processId":'),
                       ("not-utf-8", b'{"userId":"\xff\xfe\x80"}'), ("utf-16", b"\xff\xfe" + BODY.encode("utf-16-le")),
                       ("byte-order-mark", b"\xef\xbb\xbf" + BODY.encode()), ("nul-bytes", "\0" + BODY + "\0"),
                       ("another-event", BODY.replace("FINISHED", "FAILED")),
                       # gzip of `{}`, written out, since zlib's versions compress differently.
                       ("compressed", bytes.fromhex("1f8b0800000000000003abae050043bfa6a302000000"))):
        case(name, why, body=body)
        case(f"{name}-without-a-login", "No body proves anything.", body=body, headers=[],
             refusal="authorization_missing")


def methods_and_paths():
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "POST ", ""):
        case(f"method-{method or 'empty'}", "Webhooks are POSTs, and methods have case.", method=method,
             refusal="method_not_allowed")
    case("method-before-login", "Nothing else of a wrong method is looked at.", method="GET", headers=[],
         refusal="method_not_allowed")
    for path in ("", "/", "/wultra", "/wultra/", "/wultra/process", "/process/event", "/wultra/process%2Fevent",
                 "/wultra/process/event%2F", "/wultra/%2Fprocess/event", "/Wultra/Process/Event",
                 "/wultra/process/events",
                 "/wultra/process/event/1", "/wultra/process/event/..", "/wultra/process/event?",
                 "/wultra/process/event%00", "/wultra%2Fprocess/event", "/wultra\\process\\event",
                 "/notwultra/process/event", "wultra/process/event", "/veriff/events", "/wultra/process/event\n",
                 "/wultra/proc\u0435ss/event"):
        case(f"path-{path or 'empty'}", "Not the path that Wultra sends to.", path=path, refusal="path_unknown")
    case("path-before-login", "Nothing else of an unknown path is looked at.", path="/wultra", headers=[],
         refusal="path_unknown")
    case("path-before-key", "Nothing else of an unknown path is looked at.", path="/wultra", headers=[],
         credentials=keys(), refusal="path_unknown")


def main() -> None:
    for group in (logins_that_hold, rotation, logins_that_do_not_match, headers_that_no_client_makes,
                  authorization_headers, static_headers, both_configured, bodies, methods_and_paths):
        group()
    CASES.add_gates()
    CASES.write()


if __name__ == "__main__":
    main()
