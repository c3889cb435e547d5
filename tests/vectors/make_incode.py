#!/usr/bin/env python3
"""Writes incode.json: deliveries that Incode's proofs have to accept or refuse, and why; conformance.py says what a case holds."""
from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import json
import time

from conformance import Cases

SECRET = "u7Qm-3vXf-9LpZ-static-header"
OTHER_SECRET = "4cWd-8tRk-1NyB-static-header"
THIRD_SECRET = "2hGs-6jEa-5VoM-static-header"
KEY = "signing-key-9f1c4b7e20d85a63"
OTHER_KEY = "signing-key-03be6d7194fa82c5"
CLIENT, CLIENT_SECRET = "incode-client", "client-secret-5d20a86f3c9e"

HEADER, AUTHORIZATION = "x-incode-secret", "authorization"
GOOD_HEADER, BAD_HEADER = (HEADER, SECRET), (HEADER, OTHER_SECRET)

NOW = "2026-06-13T00:40:00Z"
NOW_SECONDS = calendar.timegm(time.strptime(NOW, "%Y-%m-%dT%H:%M:%SZ"))
HOUR = 3600
DAY = 24 * HOUR

BODY = '{"interviewId":"60000a22b09a35d2ef5aaa99","onboardingStatus":"ONBOARDING_FINISHED"}'
PATH = "/incode/onboarding-status"

CASES = Cases("incode")


def octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def base64url(data: str | bytes) -> str:
    return base64.urlsafe_b64encode(octets(data)).decode().rstrip("=")


def signature(message: str, key: str | bytes = KEY, algorithm: str = "sha256") -> str:
    return base64url(hmac.new(octets(key), octets(message), algorithm).digest())


def claims(**changed) -> dict:
    """The claims of a token that was given out a minute ago; a claim set to None is left out."""
    usual = {"iss": "verdict", "aud": "incode-webhooks", "sub": CLIENT, "iat": NOW_SECONDS - 60,
             "exp": NOW_SECONDS - 60 + HOUR}
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def token(said: dict | str | bytes | None = None, *, key: str | bytes = KEY, head: dict | str | bytes | None = None,
          algorithm: str = "sha256") -> str:
    def part(content) -> str:
        return base64url(json.dumps(content, separators=(",", ":")) if isinstance(content, dict) else content)

    head = {"typ": "JWT", "alg": "HS256"} if head is None else head
    message = part(head) + "." + part(claims() if said is None else said)
    return message + "." + signature(message, key, algorithm)


def bearer(value: str) -> tuple[str, str]:
    return AUTHORIZATION, "Bearer " + value


GOOD = token()
BAD = token(key=OTHER_KEY)
HEAD, CLAIMS, SIGNATURE = GOOD.split(".")


def header_credentials(*secrets: str, name: str = HEADER) -> dict:
    return {"headers": {name: list(secrets or (SECRET,))}}


def oauth_credentials(*keys: str, clients=((CLIENT, CLIENT_SECRET),)) -> dict:
    listed = [{"id": name, "secret": secret} for name, secret in clients]
    return {"oauth": {"clients": listed, "signingKeys": list(keys or (KEY,))}}


def case(name, why, headers, credentials, *, refusal=None, method="POST", path=PATH, body=BODY, now=None):
    CASES.add(name, why, credentials=credentials, path=path, method=method, headers=headers, body=octets(body),
              refusal=refusal, now=now)


def of_header(name, why, *headers, refusal=None, credentials=None, **more):
    """A case where a static header is all that is asked for."""
    case("header-" + name, why, headers, credentials or header_credentials(), refusal=refusal, **more)


def of_bearer(name, why, *headers, refusal=None, credentials=None, now=NOW, **more):
    """A case where a bearer token is all that is asked for."""
    case("bearer-" + name, why, headers, credentials or oauth_credentials(), refusal=refusal, now=now, **more)


def headers_that_hold():
    of_header("right", "The value that the dashboard was given.", GOOD_HEADER)
    for name in (HEADER.upper(), "X-Incode-Secret"):
        of_header(f"named-{name}", "Header names have no case.", (name, SECRET))
    of_header("configured-in-capitals", "Header names have no case, in credentials neither.", GOOD_HEADER,
              credentials=header_credentials(name="X-INCODE-SECRET"))
    of_header("among-others", "Nobody else's header matters.", ("x-note", "\u0416\u0443\u043a"), ("accept", "a"),
              ("accept", "b"), GOOD_HEADER)
    of_header("with-a-bearer-nobody-asked-for", "Where no token is configured, none is looked at.", GOOD_HEADER,
              bearer("no.token.here"))
    for position, secret in (("first", SECRET), ("second", OTHER_SECRET)):
        of_header(f"rotation-{position}", "While a value is replaced, both are good.", (HEADER, secret),
                  credentials=header_credentials(SECRET, OTHER_SECRET))
    of_header("of-16-characters", "The shortest one allowed.", (HEADER, "9bN4vR7tK2wQ5zX8"),
              credentials=header_credentials("9bN4vR7tK2wQ5zX8"))
    beyond = "s\u00e9cret-\u043a\u043b\u044e\u0447-\u9375-\U0001f511-2026"
    of_header("beyond-ascii", "Nothing in a secret is special.", (HEADER, beyond), credentials=header_credentials(beyond))
    of_header("with-comma", "A comma in a value is no list.", (HEADER, "9bN4,vR7t,K2wQ,5zX8"),
              credentials=header_credentials("9bN4,vR7t,K2wQ,5zX8"))
    two = {"headers": {HEADER: [SECRET], "x-tenant-secret": [OTHER_SECRET]}}
    of_header("two-of-two", "Every configured header must be there.", GOOD_HEADER, ("x-tenant-secret", OTHER_SECRET),
              credentials=two)
    of_header("authorization", "The name is free.", (AUTHORIZATION, "Bearer static-" + SECRET),
              credentials=header_credentials("Bearer static-" + SECRET, name=AUTHORIZATION))


def headers_that_do_not():
    missing, repeated, mismatch = "secret_header_missing", "secret_header_repeated", "secret_header_mismatch"
    of_header("missing", "Nothing vouches for it.", refusal=missing)
    for name in ("x_incode_secret", "incode-secret", "x-incode-secret ", "x-incode-secrets", "x-inc\u043ede-secret"):
        of_header(f"named-{name}", "A similar name is another header.", (name, SECRET), refusal=missing)
    of_header("in-a-bearer", "A secret in another place is none.", bearer(SECRET), refusal=missing)
    of_header("in-a-cookie", "A secret in another place is none.", ("cookie", f"{HEADER}={SECRET}"), refusal=missing)
    two = {"headers": {HEADER: [SECRET], "x-tenant-secret": [OTHER_SECRET]}}
    of_header("one-of-two", "Every configured header must be there.", GOOD_HEADER, refusal=missing, credentials=two)
    of_header("two-exchanged", "Each header has its own values.", BAD_HEADER, ("x-tenant-secret", SECRET),
              refusal=mismatch, credentials=two)
    why = "Nobody can say which one counts."
    of_header("twice-good-bad", why, GOOD_HEADER, BAD_HEADER, refusal=repeated)
    of_header("twice-bad-good", why, BAD_HEADER, GOOD_HEADER, refusal=repeated)
    of_header("twice-good-good", why, GOOD_HEADER, GOOD_HEADER, refusal=repeated)
    of_header("twice-in-another-case", why, GOOD_HEADER, (HEADER.upper(), OTHER_SECRET), refusal=repeated)
    wrong = {
        "empty": ("", "There is a header, and nothing in it."),
        "white-space-only": (" \t ", "There is a header, and nothing in it."),
        "of-another": (OTHER_SECRET, "Another secret."),
        "cut-short": (SECRET[:-1], "All of it counts."),
        "cut-to-one-character": (SECRET[:1], "All of it counts."),
        "one-character-more": (SECRET + "x", "What follows it is not ignored."),
        "leading-space": (" " + SECRET, "The value is taken as it is."),
        "trailing-space": (SECRET + " ", "The value is taken as it is."),
        "trailing-line-break": (SECRET + "\r\n", "The value is taken as it is."),
        "trailing-nul": (SECRET + "\0", "A NUL ends strings in C alone."),
        "in-upper-case": (SECRET.upper(), "The value is taken literally."),
        "quoted": (f'"{SECRET}"', "The value is taken literally."),
        "in-base64": (base64.b64encode(SECRET.encode()).decode(), "The value is taken literally."),
        "hashed": (hashlib.sha256(SECRET.encode()).hexdigest(), "Its digest is what we compare, not what is sent."),
        "homoglyph": (SECRET.replace("a", "\u0430"), "A homoglyph is another character."),
        "comma-joined-good-good": (f"{SECRET},{SECRET}", "API Gateway joins a doubled header with a comma."),
        "comma-joined-good-bad": (f"{SECRET},{OTHER_SECRET}", "API Gateway joins a doubled header with a comma."),
        "comma-joined-bad-good": (f"{OTHER_SECRET}, {SECRET}", "API Gateway joins a doubled header with a comma."),
        "ten-kilobytes": (SECRET * 400, "A long header is no better than a short one."),
        "client-secret": (CLIENT_SECRET, "Each secret has its own place."),
    }
    for name, (value, why) in wrong.items():
        of_header(name, why, (HEADER, value), refusal=mismatch)
    of_header("rotation-removed", "Once it is off the list, a value proves nothing.", (HEADER, THIRD_SECRET),
              refusal=mismatch, credentials=header_credentials(SECRET, OTHER_SECRET))


def bearers_that_hold():
    of_bearer("right", "A token of ours, as the endpoint gives it.", bearer(GOOD))
    for scheme in ("bearer", "BEARER", "Bearer ", "bEaReR   "):
        of_bearer(f"scheme-{scheme}", "A scheme has no case, and spaces after it (RFC 9110).",
                  (AUTHORIZATION, f"{scheme} {GOOD}"))
    of_bearer("header-name-in-capitals", "Header names have no case.", ("AUTHORIZATION", "Bearer " + GOOD))
    of_bearer("with-key-id", "The key's id is a hint.",
              bearer(token(head={"typ": "JWT", "alg": "HS256", "kid": "c0ffee00"})))
    of_bearer("without-type", "The type may be left out (RFC 7519).", bearer(token(head={"alg": "HS256"})))
    of_bearer("written-in-another-order", "What is signed counts, and not how JSON is written.",
              bearer(token(json.dumps(dict(reversed(list(claims().items()))), indent=2))))
    of_bearer("with-further-claims", "What we don't ask for does not matter.",
              bearer(token(claims(jti="1", scope="webhooks", nested={"a": [1]}))))
    for position, key in (("first", KEY), ("second", OTHER_KEY)):
        of_bearer(f"rotation-{position}-key", "An old key stays until its tokens are over.", bearer(token(key=key)),
                  credentials=oauth_credentials(KEY, OTHER_KEY))
    two = oauth_credentials(clients=[("another-client", OTHER_SECRET), (CLIENT, CLIENT_SECRET)])
    of_bearer("second-client", "Any client on the list.", bearer(GOOD), credentials=two)
    of_bearer("last-second", "A token is good until its time is up.", bearer(token(claims(exp=NOW_SECONDS + 1))))
    of_bearer("last-moment", "A token is good until its time is up.", bearer(token(claims(exp=NOW_SECONDS + 1))),
              now="2026-06-13T00:40:00.999999Z")
    of_bearer("just-given-out", "The endpoint's clock is ours.", bearer(token(claims(iat=NOW_SECONDS))))
    of_bearer("from-five-minutes-ahead", "Clocks differ a little.",
              bearer(token(claims(iat=NOW_SECONDS + 300, exp=NOW_SECONDS + HOUR))))
    of_bearer("for-a-day", "The longest lifetime that can be configured.",
              bearer(token(claims(iat=NOW_SECONDS, exp=NOW_SECONDS + DAY))))
    for name, said in (("good-for-years", {"exp": 4102444800}), ("good-for-ever", {"exp": 2**63 - 1}),
                       ("given-out-before-1970", {"iat": -(2**63)}),
                       ("good-for-a-day-and-a-second", {"iat": NOW_SECONDS, "exp": NOW_SECONDS + DAY + 1})):
        of_bearer(name, "Verdict gives out no token for longer than a day.", bearer(token(claims(**said))),
                  refusal="authorization_mismatch")
    of_bearer("with-a-header-nobody-asked-for", "Where no header is configured, none is looked at.", bearer(GOOD),
              (HEADER, "anything"))
    name = "cl\u00efent \U0001f511"
    of_bearer("client-beyond-ascii", "A client's name is any text.", bearer(token(claims(sub=name))),
              credentials=oauth_credentials(clients=[(name, CLIENT_SECRET)]))


def bearers_that_are_no_token():
    def malformed(name, why, value):
        of_bearer(name, why, (AUTHORIZATION, value), refusal="authorization_malformed")

    of_bearer("missing", "Nothing vouches for it.", refusal="authorization_missing")
    for name in ("proxy-authorization", "x-authorization", "authorisation", "bearer", "authorization "):
        of_bearer(f"in-{name}", "A similar name is another header.", (name, "Bearer " + GOOD),
                  refusal="authorization_missing")
    why = "Nobody can say which one counts."
    for name, pair in (("good-bad", (GOOD, BAD)), ("bad-good", (BAD, GOOD)), ("good-good", (GOOD, GOOD))):
        of_bearer(f"twice-{name}", why, *map(bearer, pair), refusal="authorization_repeated")
    of_bearer("twice-in-another-case", why, bearer(GOOD), ("AUTHORIZATION", "Bearer " + BAD),
              refusal="authorization_repeated")
    of_bearer("beside-basic", why, bearer(GOOD), (AUTHORIZATION, "Basic eDp5"), refusal="authorization_repeated")

    malformed("empty", "There is a header, and nothing in it.", "")
    malformed("white-space-only", "There is a header, and nothing in it.", " \t ")
    malformed("scheme-alone", "There is no token.", "Bearer")
    malformed("scheme-and-space", "There is no token.", "Bearer ")
    malformed("token-alone", "There is no scheme.", GOOD)
    for scheme in ("Basic", "Token", "JWT", "Bearer:", "Bearer=", "B\u0435arer"):
        malformed(f"scheme-{scheme}", "Another scheme.", f"{scheme} {GOOD}")
    malformed("after-a-tab", "A space comes after the scheme.", f"Bearer\t{GOOD}")
    malformed("leading-space", "The value is taken as it is.", f" Bearer {GOOD}")
    basic = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
    malformed("client-credentials", "A client's secret opens the token endpoint and nothing else.", f"Basic {basic}")
    malformed("client-secret", "A client's secret is no token.", f"Bearer {CLIENT_SECRET}")
    malformed("signing-key", "The key is no token.", f"Bearer {KEY}")
    malformed("one-part", "A token has three parts.", f"Bearer {HEAD}")
    malformed("two-parts", "A token has three parts.", f"Bearer {HEAD}.{CLAIMS}")
    malformed("four-parts", "A token has three parts.", f"Bearer {GOOD}.{SIGNATURE}")
    malformed("five-parts", "Nothing is encrypted here.", f"Bearer {HEAD}.{CLAIMS}.{SIGNATURE}.{HEAD}.{CLAIMS}")
    malformed("without-header", "Each part holds something.", f"Bearer .{CLAIMS}.{SIGNATURE}")
    malformed("without-claims", "Each part holds something.", f"Bearer {HEAD}..{SIGNATURE}")
    malformed("without-signature", "Each part holds something.", f"Bearer {HEAD}.{CLAIMS}.")
    malformed("dots", "Each part holds something.", "Bearer ..")
    malformed("padded", "A token's base64 has no padding.", f"Bearer {GOOD}=")
    standard = token(claims(jti="??>>~~\u00ff\u00fe"))
    assert "-" in standard or "_" in standard
    malformed("in-the-other-alphabet", "A token's base64 is the one for URLs.",
              "Bearer " + standard.translate({ord("-"): "+", ord("_"): "/"}) + "+/")
    malformed("trailing-space", "The value is taken as it is.", f"Bearer {GOOD} ")
    malformed("trailing-line-break", "The value is taken as it is.", f"Bearer {GOOD}\r\n")
    malformed("trailing-nul", "A NUL ends strings in C alone.", f"Bearer {GOOD}\0")
    malformed("broken-in-lines", "A token is one line.", f"Bearer {HEAD}.\n {CLAIMS}.{SIGNATURE}")
    malformed("quoted", "Quotes are no base64.", f'Bearer "{GOOD}"')
    malformed("comma-joined-good-good", "API Gateway joins a doubled header with a comma.",
              f"Bearer {GOOD},Bearer {GOOD}")
    malformed("comma-joined-good-bad", "API Gateway joins a doubled header with a comma.",
              f"Bearer {GOOD}, Bearer {BAD}")
    malformed("comma-joined-bad-good", "API Gateway joins a doubled header with a comma.",
              f"Bearer {BAD}, Bearer {GOOD}")
    malformed("two-tokens", "There is no list of tokens to try.", f"Bearer {BAD} {GOOD}")
    malformed("parameter-after", "A bearer token has no parameters.", f'Bearer {GOOD}, realm="x"')
    malformed("full-width-dots", "What looks alike is another character.", "Bearer " + GOOD.replace(".", "\uff0e"))
    malformed("cyrillic-e", "What looks alike is another character.", "Bearer \u0435" + GOOD[1:])
    malformed("json", "A header is no JSON.", "Bearer " + json.dumps({"access_token": GOOD}))
    malformed("percent-encoded", "A header is no URL.", "Bearer " + GOOD.replace(".", "%2E"))
    long = token(claims(jti="x" * 7500))
    malformed("ten-kilobytes", "A token of ours is short, so nothing long is read, right or not.", f"Bearer {long}")
    malformed("ten-kilobytes-of-dots", "Nothing long is read.", "Bearer " + "." * 10_240)


def bearers_of_somebody_else():
    def mismatch(name, why, value, **more):
        of_bearer(name, why, bearer(value), refusal="authorization_mismatch", **more)

    mismatch("of-another-key", "A token that somebody else signed.", BAD)
    mismatch("of-a-removed-key", "Once it is off the list, a key proves nothing.", GOOD,
             credentials=oauth_credentials(OTHER_KEY))
    mismatch("of-the-empty-key", "An unset variable must never sign.", token(key=""))
    mismatch("of-the-client-secret", "Each secret has its own place.", token(key=CLIENT_SECRET))
    mismatch("of-both-keys", "Keys are tried one by one.", token(key=KEY + OTHER_KEY),
             credentials=oauth_credentials(KEY, OTHER_KEY))
    mismatch("of-the-key-decoded", "The key is taken literally.", token(key=base64.b64decode(KEY + "==", b"-_")))
    mismatch("of-the-key-and-line-break", "The key is taken literally.", token(key=KEY + "\n"))

    none = {"typ": "JWT", "alg": "none"}
    for name in ("none", "None", "NONE", "nOnE"):
        mismatch(f"algorithm-{name}", "What nobody signed is nobody's.", token(head={**none, "alg": name}))
    mismatch("algorithm-none-and-our-signature", "The algorithm is ours to choose.", token(head=none))
    for name, digest in (("HS384", "sha384"), ("HS512", "sha512")):
        mismatch(f"algorithm-{name}", "The algorithm is ours to choose, right key or not.",
                 token(head={"typ": "JWT", "alg": name}, algorithm=digest))
        mismatch(f"algorithm-{name}-signed-with-HS256", "The algorithm is ours to choose.",
                 token(head={"typ": "JWT", "alg": name}))
        mismatch(f"signed-with-{name}", "The signature is HS256's.", token(algorithm=digest))
    for name in ("RS256", "ES256", "PS256", "EdDSA"):
        mismatch(f"algorithm-{name}", "A shared key must not pass for a public one.",
                 token(head={"typ": "JWT", "alg": name}))
    for odd in ("hs256", "HS256 ", "HMAC", "", 256, None, ["HS256"]):
        mismatch(f"algorithm-{json.dumps(odd)}", "Names of algorithms have case, and one form.",
                 token(head={"typ": "JWT", "alg": odd}))
    mismatch("algorithm-missing", "A header names its algorithm.", token(head={"typ": "JWT"}))
    mismatch("algorithm-twice", "Nobody can say which one counts.", token(head='{"alg":"HS256","alg":"none"}'))
    mismatch("own-key-in-the-header", "A key that comes with the token proves nothing.",
             token(key=OTHER_KEY, head={"alg": "HS256", "jwk": {"kty": "oct", "k": base64url(OTHER_KEY)}}))
    mismatch("key-id-of-a-path", "A key's id is never a place to look at.",
             token(key="", head={"alg": "HS256", "kid": "../../../../dev/null"}))
    for name, head in (("empty-object", "{}"), ("text", '"HS256"'), ("null", "null"), ("no-json", "{"),
                       ("not-utf-8", b"\xff\xfe")):
        mismatch(f"header-{name}", "No header of a token.", token(head=head))

    mismatch("signature-of-zeros", "A digest that an unset buffer would have.", f"{HEAD}.{CLAIMS}.{'A' * 43}")
    mismatch("signature-cut-short", "A part of the digest is not the digest.", GOOD[:-1])
    mismatch("signature-of-a-byte", "A part of the digest is not the digest.",
             f"{HEAD}.{CLAIMS}." + base64url(base64.urlsafe_b64decode(SIGNATURE + "=")[:1]))
    mismatch("signature-and-more", "What follows the digest is not ignored.", GOOD + "AAAA")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = last[last.index(SIGNATURE[-1]) | 3]
    assert loose != SIGNATURE[-1] and base64.urlsafe_b64decode(SIGNATURE[:-1] + loose + "=") == \
        base64.urlsafe_b64decode(SIGNATURE + "=")
    mismatch("signature-spelled-otherwise", "Bits that base64 leaves over are zero.", GOOD[:-1] + loose)
    mismatch("signature-in-hex", "A token's digest is base64.",
             f"{HEAD}.{CLAIMS}." + base64.urlsafe_b64decode(SIGNATURE + "=").hex())
    mismatch("signature-over-claims-alone", "Header and claims are signed.", f"{HEAD}.{CLAIMS}." + signature(CLAIMS))
    mismatch("signature-of-another-token", "Each token has its own.",
             f"{HEAD}.{CLAIMS}." + token(claims(jti="2")).split(".")[2])
    mismatch("plain-digest", "Anybody can hash.",
             f"{HEAD}.{CLAIMS}." + base64url(hashlib.sha256(f"{HEAD}.{CLAIMS}".encode()).digest()))
    later = base64url(json.dumps(claims(exp=NOW_SECONDS + DAY), separators=(",", ":")))
    mismatch("prolonged", "The reason to tamper with one.", f"{HEAD}.{later}.{SIGNATURE}")
    mismatch("header-replaced", "The header is signed too.", f"{base64url(json.dumps(none))}.{CLAIMS}.{SIGNATURE}")
    mismatch("parts-exchanged", "The order of the parts counts.", f"{CLAIMS}.{HEAD}.{SIGNATURE}")

    for name, issuer in (("another", "somebody-else"), ("in-capitals", "Verdict"), ("with-slash", "verdict/"),
                         ("empty", ""), ("missing", None), ("as-list", ["verdict"]), ("as-number", 1)):
        mismatch(f"issuer-{name}", "A token of another issuer, whoever has the key.", token(claims(iss=issuer)))
    for name, audience in (("another", "verdict"), ("missing", None), ("empty", ""), ("as-list", ["incode-webhooks"]),
                           ("among-others", ["verdict", "incode-webhooks"])):
        mismatch(f"audience-{name}", "A token for something else, or of a form that ours don't have.",
                 token(claims(aud=audience)))
    for name, subject in (("unknown", "another-client"), ("missing", None), ("empty", ""),
                          ("in-capitals", CLIENT.upper()), ("padded", CLIENT + " "), ("as-list", [CLIENT])):
        mismatch(f"client-{name}", "A token of a client that is not configured.", token(claims(sub=subject)))
    mismatch("client-removed", "With the client, its tokens go.", GOOD,
             credentials=oauth_credentials(clients=[("another-client", OTHER_SECRET)]))

    exp = claims()["exp"]
    for name, expiry in (("missing", None), ("as-float", float(exp)), ("as-text", str(exp)), ("as-list", [exp]),
                         ("true", True), ("negative", -1), ("zero", 0),
                         ("of-2-to-the-63", 2**63), ("of-20-digits", 10**20),
                         ("before-it-was-given-out", NOW_SECONDS - 61), ("as-it-was-given-out", NOW_SECONDS - 60)):
        mismatch(f"expiry-{name}", "No expiry that we give.", token(claims(exp=expiry)))
    mismatch("expiry-infinite", "No expiry that we give.",
             token(json.dumps(claims(), separators=(",", ":")).replace(str(exp), "1e999")))
    mismatch("expiry-twice", "Nobody can say which one counts.",
             token(json.dumps(claims(), separators=(",", ":")).replace('"exp":', f'"exp":{NOW_SECONDS},"exp":')))
    for name, issued in (("missing", None), ("as-float", float(NOW_SECONDS)), ("as-text", str(NOW_SECONDS)),
                         ("in-milliseconds", NOW_SECONDS * 1000)):
        mismatch(f"issued-{name}", "No time that we sign at.", token(claims(iat=issued)))
    mismatch("from-the-future", "Clocks don't differ that much.",
             token(claims(iat=NOW_SECONDS + 301, exp=NOW_SECONDS + HOUR)))
    for name, said in (("empty-object", "{}"), ("null", "null"), ("list", "[]"), ("text", '"verdict"'), ("no-json", "{"),
                       ("not-utf-8", b"\xff\xfe"), ("two-documents", json.dumps(claims()) * 2)):
        mismatch(f"claims-{name}", "No claims of ours.", token(said))


def bearers_whose_time_is_up():
    def expired(name, why, value, now=NOW):
        of_bearer(name, why, bearer(value), refusal="token_expired", now=now)

    expired("expired-this-second", "At its expiry a token is over.", token(claims(exp=NOW_SECONDS)))
    expired("expired-a-second-ago", "There is no leeway: who gave it out sees the same clock.",
            token(claims(exp=NOW_SECONDS - 1)))
    expired("expired-long-ago", "A token is not good for ever.",
            token(claims(iat=NOW_SECONDS - 300 * DAY, exp=NOW_SECONDS - 299 * DAY)))
    expired("expired-in-1970", "A token is not good for ever.", token(claims(iat=0, exp=1)))
    expired("right-an-hour-later", "A token is not good for ever.", GOOD, now="2026-06-13T01:39:00Z")


def both():
    configured = {**header_credentials(), **oauth_credentials()}

    def of_both(name, why, *headers, refusal=None):
        case("both-" + name, why, headers, configured, refusal=refusal, now=NOW)

    old = token(claims(exp=NOW_SECONDS))
    of_both("right", "Both are asked for, and both hold.", GOOD_HEADER, bearer(GOOD))
    of_both("right-in-another-order", "Headers have no order.", bearer(GOOD), GOOD_HEADER)
    of_both("neither", "Both are asked for.", refusal="secret_header_missing")
    of_both("header-alone", "Both are asked for.", GOOD_HEADER, refusal="authorization_missing")
    of_both("bearer-alone", "Both are asked for.", bearer(GOOD), refusal="secret_header_missing")
    of_both("right-header-wrong-bearer", "One does not make up for the other.", GOOD_HEADER, bearer(BAD),
            refusal="authorization_mismatch")
    of_both("right-header-no-token", "One does not make up for the other.", GOOD_HEADER, bearer("none"),
            refusal="authorization_malformed")
    of_both("right-header-old-bearer", "One does not make up for the other.", GOOD_HEADER, bearer(old),
            refusal="token_expired")
    of_both("right-header-two-bearers", "One does not make up for the other.", GOOD_HEADER, bearer(GOOD), bearer(GOOD),
            refusal="authorization_repeated")
    of_both("wrong-header-right-bearer", "One does not make up for the other.", BAD_HEADER, bearer(GOOD),
            refusal="secret_header_mismatch")
    of_both("empty-header-right-bearer", "One does not make up for the other.", (HEADER, ""), bearer(GOOD),
            refusal="secret_header_mismatch")
    of_both("two-headers-right-bearer", "One does not make up for the other.", GOOD_HEADER, GOOD_HEADER, bearer(GOOD),
            refusal="secret_header_repeated")
    of_both("exchanged", "Each has its own place.", (HEADER, GOOD), bearer(SECRET), refusal="secret_header_mismatch")
    of_both("wrong-both", "The header is looked at first.", BAD_HEADER, bearer(BAD), refusal="secret_header_mismatch")


def bodies():
    for name, body in (("empty", ""), ("broken-json", '{"interviewId":'), ("not-utf-8", b'{"interviewId":"\xff\xfe"}'),
                       ("utf-16", b"\xff\xfe" + BODY.encode("utf-16-le"))):
        of_header(f"body-{name}", "No body is signed, and a proof does not read.", GOOD_HEADER, body=body)
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        of_header(f"content-type-{content_type or 'empty'}", "The content type is never checked.", GOOD_HEADER,
                  ("content-type", content_type))


def methods_and_paths():
    for segment in ("video-selfie", "watchlist", "face-authentication", "work-history", "proof-of-payment",
                    "session-started", "session-failed", "session-succeeded", "session-pending-review",
                    "session-progress", "identity-enrolled", "authentication", "ine-scraping"):
        of_header(f"path-{segment}", "Each kind of webhook has its own path.", GOOD_HEADER, path=f"/incode/{segment}")
    of_header("path-of-a-kind-to-come", "A kind that we don't know is genuine all the same.", GOOD_HEADER,
              path="/incode/some-kind-of-2027")
    for path in ("/incode/onboarding-status/", "/incode//onboarding-status", "//incode///onboarding-status//"):
        of_header(f"slashes-in-{path}",
                  "Doubled and last slashes come from putting URLs together, and mean nothing.",
                  GOOD_HEADER, path=path)
    of_header("path-of-64-characters", "The longest there is.", GOOD_HEADER, path="/incode/" + "a" * 64)
    for before in ("/production", "/a/b", "/incode", ""):
        of_header(f"path-after-{before or 'nothing'}", "An API Gateway stage or a base path comes before the path.",
                  GOOD_HEADER, path=before + PATH)
    of_header("method-override-ignored", "What counts is the method of the request.", GOOD_HEADER,
              ("x-http-method-override", "DELETE"))
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "POST ", ""):
        of_header(f"method-{method or 'empty'}", "Webhooks are POSTs, and methods have case.", GOOD_HEADER,
                  method=method, refusal="method_not_allowed")
    of_header("method-before-all", "Nothing else of a wrong method is looked at.", method="GET", path="/",
              refusal="method_not_allowed")
    for path in ("", "/", "/incode", "/incode/", "/incode/oauth/token", "/incode/onboarding-status/1",
                 "/incode/a/onboarding-status", "/incode/onboarding-status%2F", "/incode/%2Fonboarding-status",
                 "/Incode/onboarding-status",
                 "/incode/Onboarding-Status", "/incode/onboarding_status", "/incode/onboarding-status?x=1",
                 "/incode/onboarding%2Dstatus", "/incode/..", "/incode/.", "/incode%2Fonboarding-status",
                 "/incode\\onboarding-status", "/notincode/onboarding-status", "incode/onboarding-status",
                 "onboarding-status", "/veriff/events", "/incode/onboarding-status\n", "/incode/onb\u043earding-status",
                 "/incode/" + "a" * 65):
        of_header(f"path-{path or 'empty'}", "No path of Incode's webhooks.", GOOD_HEADER, path=path,
                  refusal="path_unknown")
    of_header("path-before-all", "Nothing else of an unknown path is looked at.", path="/incode",
              refusal="path_unknown")


def main() -> None:
    for group in (headers_that_hold, headers_that_do_not, bearers_that_hold, bearers_that_are_no_token,
                  bearers_of_somebody_else, bearers_whose_time_is_up, both, bodies, methods_and_paths):
        group()
    CASES.add_gates()
    CASES.write()


if __name__ == "__main__":
    main()
