"""What no gateway would send: the function is called with it directly, answers it, and goes on."""
from __future__ import annotations

import base64
import json

import pytest
from attacks import on_binaries

from .deliveries import INCODE, TREEZOR, WULTRA, as_event, decision, genuine, post, sign
from .functions import deployed
from .logs import log, said
from .table import size


# What leaves no trace leaves the whole table as large as it was.
pytestmark = [
    pytest.mark.usefixtures("believing"),
    pytest.mark.usefixtures("nobody_else_notifies"),
    on_binaries("a request that no gateway sends, or half of one"),
]

@pytest.fixture(scope="module")
def function(verdict):
    return deployed(verdict, "VeriffDecisions")


@pytest.fixture
def event(session_id):
    """A genuine approval, as the gateway would hand it over."""
    return as_event(genuine(decision(session_id)))


@pytest.fixture(autouse=True)
def the_next_webhook_is_recorded(verdict, session_id):
    yield
    assert post(verdict, genuine(decision(session_id, "declined", at=None))).outcome == "recorded"


def without(event, *members):
    return {name: value for name, value in event.items() if name not in members}


def with_headers(event, headers):
    return {**event, "headers": headers}


def test_the_event_as_it_should_be_is_recorded(function, event):
    assert function.answer(event).outcome == "recorded"


# ---- No request at all ----

NO_REQUESTS = {
    "nothing": None,
    "a number": 1573024716916,
    "a text": "warm-up",
    "a list": [],
    "an empty object": {},
    "a schedule's warm-up": {
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-06-12T09:30:00Z", "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/warm-up"], "detail": {}},
    "a queue's messages": {"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]},
}


@pytest.mark.parametrize("payload", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_refused(verdict, function, payload):
    assert_refused(verdict, function, payload, status=400)


def test_requests_of_other_gateways_are_refused(verdict, function, event):
    headers, body = event["headers"], event["body"]
    rest_api = {
        "resource": "/veriff/decisions", "path": "/veriff/decisions", "httpMethod": "POST", "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()}, "queryStringParameters": None,
        "pathParameters": None, "requestContext": {"httpMethod": "POST", "path": "/veriff/decisions", "stage": "prod"},
        "body": body, "isBase64Encoded": False}
    load_balancer = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:x/y/z"}},
        "httpMethod": "POST", "path": "/veriff/decisions", "queryStringParameters": {}, "headers": headers,
        "body": body, "isBase64Encoded": False}
    for foreign in (rest_api, {**rest_api, "headers": None}, load_balancer):
        assert_refused(verdict, function, foreign, status=400)


def test_a_function_url_speaks_as_the_gateway_does(function, event):
    url = {**event, "routeKey": "$default", "cookies": [], "stageVariables": None, "queryStringParameters": {}}
    url["requestContext"] = {**event["requestContext"], "domainName": "x.lambda-url.eu-west-1.on.aws"}
    assert function.answer(url).outcome == "recorded"


# ---- Parts missing or of another type ----

@pytest.mark.parametrize("member", ["version", "routeKey", "rawQueryString", "isBase64Encoded"])
def test_a_webhook_does_not_need_every_part_of_the_event(function, event, member):
    assert function.answer(without(event, member)).outcome == "recorded"


@pytest.mark.parametrize("change, status", [
    (lambda event: without(event, "headers"), 401),
    (lambda event: with_headers(event, None), 401),
    (lambda event: with_headers(event, {}), 401),
    (lambda event: without(event, "rawPath"), 400),
    (lambda event: without(event, "requestContext"), 400),
    (lambda event: {**event, "requestContext": {}}, 400),
    (lambda event: {**event, "rawPath": "/veriff/other"}, 404),
    (lambda event: {**event, "rawPath": ""}, 404),
    (lambda event: {**event, "rawPath": "/" + "a" * 65_536}, 404),
    (lambda event: {**event, "isBase64Encoded": "true"}, 400),
    (lambda event: {**event, "body": {"verification": None}}, 400),
    (lambda event: with_headers(event, {**event["headers"], "x-hmac-signature": ["5" * 64]}), 400),
    (lambda event: {**with_headers(event, None), "multiValueHeaders": {
        name: [value] for name, value in event["headers"].items()}}, 401),
], ids=[
    "no headers", "headers null", "headers empty", "no path", "no context", "context empty", "path of nobody",
    "path empty", "path of 65 KB", "flag as text", "body as object", "signature as list", "headers only as lists",
])
def test_an_event_with_a_part_amiss_is_refused(verdict, function, event, change, status):
    assert_refused(verdict, function, change(event), status)


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_an_empty_body(function, event, body):
    signed = with_headers(event, {"x-hmac-signature": sign(b"")})
    assert function.answer({**signed, "body": body}).outcome == "quarantined"
    assert function.answer(without(signed, "body")).outcome == "quarantined"


# ---- Headers as no gateway hands them on ----

@pytest.mark.parametrize("spoil", [
    lambda text: f" {text}", lambda text: f"{text} ", lambda text: f"{text}\n", lambda text: f"\t{text}",
    lambda text: f"{text}\r\nx-other: x", lambda text: f"{text}\0", lambda text: f"{text[:63]}\ud800",
], ids=["space before", "space after", "line end", "tab", "header injection", "NUL", "lone surrogate"])
def test_a_signature_with_anything_about_it_is_refused(verdict, function, event, spoil):
    headers = {**event["headers"], "x-hmac-signature": spoil(event["headers"]["x-hmac-signature"])}
    answer = function.answer(with_headers(event, headers))
    assert (answer.status in (400, 401), answer.outcome) == (True, "refused")


def test_two_spellings_of_the_header_are_two_signatures(verdict, function, event):
    # No gateway sends two: HTTP APIs write names in lower case, and join what comes twice.
    signature = event["headers"]["x-hmac-signature"]
    for first, last in [(signature, signature), (signature, "5" * 64), ("5" * 64, signature), ("", signature)]:
        headers = {"X-Hmac-Signature": first, "x-hmac-signature": last}
        assert_refused(verdict, function, with_headers(event, headers), 401)


def test_the_header_is_found_in_any_case(function, event):
    headers = {"X-HMAC-Signature": event["headers"]["x-hmac-signature"], "X-Other": "\u00ff 名前 \ufffe"}
    assert function.answer(with_headers(event, headers)).outcome == "recorded"


# ---- Whatever a stranger can think of ----

def in_query(query):
    return lambda event: {**event, "rawQueryString": query}


def and_headers(**headers):
    return lambda event: with_headers(event, {**event["headers"], **headers})


def and_header(name, value="x"):
    return and_headers(**{name: value})


def signed_with(suffix):
    return lambda event: with_headers(
        event, {**event["headers"], "x-hmac-signature": event["headers"]["x-hmac-signature"] + suffix})


def and_context(**members):
    return lambda event: {**event, "requestContext": {**event["requestContext"], **members}}


def with_method(method):
    return and_context(http={"method": method})


def and_members(**members):
    return lambda event: {**event, **members}


#: What changes nothing of a genuine webhook: it is recorded.
HARMLESS = {
    **{f"query of {name}": in_query(query) for name, query in {
        "quotes": 'a="b"', "angles": "<script>", "a space": "a b", "a hash": "a#b", "NUL": "a\0b", "a tab": "a\tb",
        "line ends": "a\r\nb: c", "control bytes": "\1\x1b\x7f", "C1 control bytes": "\x80\x9f", "Latin-1": "é=ÿ",
        "UTF-8": "名=前", "beyond the BMP": "\U0001f511", "wrong percents": "%zz&%&%f",
        "bytes that are no text": "%ff%fe",
        "brackets and bars": "[{|}]\\^`", "a second question mark": "?a=b?", "nothing but signs": "&&==&=&",
        "60 KB": "a" * 60_000, "20000 parameters": "a&" * 20_000}.items()},
    **{f"header of {name}": and_header("x-other", value) for name, value in {
        "Latin-1": "caf\xe9", "C1 control bytes": "\x80\x9f", "UTF-8": "名前", "beyond the BMP": "\U0001f511",
        "nothing": "",
        "a tab": "a\tb", "100 KB": "a" * 100_000, "commas": ",,a,"}.items()},
    "10000 headers": and_headers(**{f"x-{number}": "a" for number in range(10_000)}),
    "10000 cookies": and_members(cookies=["a=b"] * 10_000),
    "odd cookies": and_members(cookies=["", "é=名", "a=b\r\nx-hmac-signature: c", "\0"]),
    "scheme twice": and_header("x-forwarded-proto", "https,https"),
    "scheme of no URL": and_header("x-forwarded-proto", " :// "),
    "host beyond ASCII": and_header("host", "é.example"),
    "a stage of its own": and_context(stage='a "b"/é?#'),
    "no domain": and_context(domainName=None),
    "authorizer of strangers": and_context(authorizer={"lambda": {"a": [1, None]}}),
    "stage variables": and_members(stageVariables={"a": "b"}),
    "members unheard of": and_members(a={"b": [None]}, version="9.9", multiValueHeaders=1),
}

#: What is no event of an HTTP API's, or what no URL or HTTP message can hold.
UNREADABLE = {
    "query of 65 KB": in_query("a" * 65_536),
    "query of 70 KB once encoded": in_query('"' * 25_000),
    "query as list": in_query(["a=b"]),
    "parameters as numbers": and_members(queryStringParameters={"a": 1}),
    "path as number": and_members(rawPath=1),
    **{f"header name {name}": and_header(header) for name, header in {
        "empty": "", "with a space": "a b", "with a colon": "a:b", "with NUL": "a\0", "with a line end": "a\r\nb",
        "beyond ASCII": "é", "of 70 KB": "a" * 70_000}.items()},
    **{f"header of {name}": and_header("x-other", value) for name, value in {
        "NUL": "a\0b", "a line end": "a\nx: y", "a carriage return": "a\r", "control bytes": "\1\x1b", "DEL": "\x7f",
        "a number": 1, "null": None, "an object": {}, "a list": ["a", "b"]}.items()},
    "40000 headers": and_headers(**{f"x-{number}": "a" for number in range(40_000)}),
    "cookies as text": and_members(cookies="a=b"),
    "host with a space": and_header("host", "a b"),
    "host with a wrong port": and_header("host", "a:port"),
    "domain of no URL": and_context(domainName="a b"),
    "time in words": and_context(timeEpoch="now"),
    "context as list": and_members(requestContext=[]),
    "method with a space": with_method("POST "),
    "method beyond ASCII": with_method("PÖST"),
    "method with NUL": with_method("POST\0"),
    "method as null": with_method(None),
    "path parameters as list": and_members(pathParameters=["proxy"]),
    "base64 flag that lies": and_members(isBase64Encoded=True, body="%%%"),
    "base64 flag as number": and_members(isBase64Encoded=1),
}

#: What looks like the signature and isn't.
UNPROVED = {
    "Latin-1": signed_with("é"), "UTF-8": signed_with("名"), "full-width": and_header("x-hmac-signature", "\uff15" * 64),
    "C1 control": signed_with("\x80"), "no-break space": signed_with("\xa0"), "comma": signed_with(","),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_is_odd_and_harmless_is_recorded(function, event, change):
    assert function.answer(change(event)).outcome == "recorded"


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_what_no_gateway_reads_is_refused(verdict, function, event, change):
    answer = assert_refused(verdict, function, change(event), 400)
    assert json.loads(answer.body)["error"]["code"] == "event_unreadable"


@pytest.mark.parametrize("change", UNPROVED.values(), ids=UNPROVED)
def test_what_is_nearly_the_signature_is_refused(verdict, function, event, change):
    assert_refused(verdict, function, change(event), 401)


def test_a_strangers_event_is_no_bug(verdict, function, event):
    # Copies of a function share its log: what earlier tests left there is not looked at.
    before = log(verdict, function, "not a request", at_least=0)
    for change in UNREADABLE.values():
        function.answer(change(event))
    lines = log(verdict, function, "not a request", at_least=len(said(before, "not a request")) + len(UNREADABLE))
    new = set(lines) - set(before)
    assert [line for line in new if "panicked" in line or "bug" in line or '"level":"ERROR"' in line] == []


# ---- Methods ----

@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW", "post", ""])
def test_any_method_but_post_is_refused(verdict, function, event, method):
    http = {**event["requestContext"]["http"], "method": method}
    headers = {**event["headers"], "x-http-method-override": "POST"}
    assert_refused(verdict, function, {**with_headers(event, headers), "requestContext": {"http": http}}, 401)


def test_a_method_in_a_header_does_not_replace_the_method(function, event):
    headers = {**event["headers"], "x-http-method-override": "GET"}
    assert function.answer(with_headers(event, headers)).outcome == "recorded"


# ---- Base64 ----

@pytest.mark.parametrize("encode", [
    lambda text: text + b"\n",
    lambda text: text[:76] + b"\r\n" + text[76:],
    lambda text: text.rstrip(b"="),
    lambda text: text + b"=",
    lambda text: text[:-1],
    lambda text: text.replace(b"+", b"-").replace(b"/", b"_"),
    lambda text: text[:-3] + bytes([text[-3] + 1]) + b"==",
    lambda text: b" " + text,
    lambda text: b"not base64 at all",
    lambda text: "é名".encode(),
], ids=["line end", "lines", "no padding", "too much padding", "cut short", "URL-safe alphabet", "trailing bits",
        "space", "no base64", "beyond ASCII"])
def test_a_body_that_is_not_the_base64_it_should_be_is_refused(verdict, function, session_id, encode):
    # Its base64 holds `+` and `/`, and ends in `A==`, where bits are left over that say nothing.
    body = b"\xfb\xef\xbe\xff\xff\xff" + session_id.encode() + b" "
    text = base64.b64encode(body)
    assert text.startswith(b"++++////") and text.endswith(b"A==")
    event = {**as_event(genuine(b"{}")), "body": encode(text).decode(), "isBase64Encoded": True}
    assert_refused(verdict, function, with_headers(event, {"x-hmac-signature": sign(body)}), 400)


def test_the_flag_for_base64_must_tell_the_truth(verdict, function, event):
    encoded = base64.b64encode(event["body"].encode()).decode()
    assert_refused(verdict, function, {**event, "isBase64Encoded": True}, 400)
    assert_refused(verdict, function, {**event, "body": encoded}, 401)
    assert function.answer({**event, "body": encoded, "isBase64Encoded": True}).outcome == "recorded"


# ---- The other providers ----

OTHERS = [INCODE, TREEZOR, WULTRA]


def called(verdict, sender):
    return deployed(verdict, sender.function)


@pytest.fixture(params=OTHERS, ids=str)
def sender(request):
    return request.param


@pytest.fixture
def its_event(sender, session_id):
    return as_event(sender.approves(session_id))


@pytest.fixture
def its_next_webhook_is_recorded(verdict, sender, session_id):
    yield
    assert post(verdict, sender.approves(f"{session_id}-next")).outcome == "recorded"


@pytest.mark.parametrize("payload", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_refused_by_all(verdict, its_next_webhook_is_recorded, sender, payload):
    assert_refused(verdict, called(verdict, sender), payload, status=400)


@pytest.mark.parametrize("change", [
    lambda event: without(event, "rawPath"),
    lambda event: without(event, "requestContext"),
    lambda event: {**event, "requestContext": {}},
    lambda event: {**event, "isBase64Encoded": "true"},
    lambda event: {**event, "isBase64Encoded": True},
    lambda event: {**event, "body": {"verification": None}},
    lambda event: {**event, "body": 1},
    lambda event: {**event, "headers": []},
    lambda event: {**event, "rawQueryString": {}},
    lambda event: with_headers(event, {**event["headers"], "x-other": ["x"]}),
], ids=["no path", "no context", "context empty", "flag as text", "flag that lies", "body as object", "body as number",
        "headers as list", "query as object", "header as list"])
def test_what_is_half_a_request_is_refused_by_all(
        verdict, its_next_webhook_is_recorded, sender, its_event, change):
    assert_refused(verdict, called(verdict, sender), change(its_event), status=400)


@pytest.mark.parametrize("change", [
    lambda event: {**event, "rawPath": f"{event['rawPath']}/x"},
    lambda event: {**event, "rawPath": f"{event['rawPath']}%2F"},
    lambda event: {**event, "rawPath": f"{event['rawPath']}?"},
    lambda event: {**event, "rawPath": event["rawPath"].upper()},
    lambda event: {**event, "rawPath": ""},
    lambda event: {**event, "rawPath": "/veriff/decisions"},
    lambda event: {**event, "body": base64.b64encode(event["body"].encode()).decode(), "rawPath": "/"},
], ids=["path and more", "path and encoded slash", "path and question mark", "path in capitals", "no path",
        "another's path", "path of nobody"])
def test_what_was_meant_for_somebody_else_is_not_found_by_all(verdict, sender, its_event, change):
    assert_refused(verdict, called(verdict, sender), change(its_event), 404)


@pytest.mark.parametrize("method", ["GET", "post"])
def test_any_method_but_post_is_refused_by_all(verdict, sender, its_event, method):
    assert_refused(verdict, called(verdict, sender), {**its_event, "requestContext": {"http": {"method": method}}},
                   sender.refusal)


@pytest.mark.parametrize("spell", [
    lambda path: f"{path}/", lambda path: f"{path}///", lambda path: path.replace("/", "//"),
    lambda path: f"/production/{path}/",
], ids=["at the end", "several at the end", "doubled", "after a stage"])
def test_a_slash_too_many_is_no_part_of_the_path(verdict, sender, its_event, spell):
    answer = called(verdict, sender).answer({**its_event, "rawPath": spell(its_event["rawPath"])})
    assert answer.outcome == "recorded"
    assert called(verdict, sender).answer(its_event).outcome == "duplicate"


@pytest.mark.parametrize("headers", [None, {}])
def test_without_headers_only_what_is_signed_in_the_body_is_proved(verdict, sender, its_event, headers):
    answer = called(verdict, sender).answer(with_headers(its_event, headers))
    expected = (200, "recorded") if sender is TREEZOR else (401, "refused")
    assert (answer.status, answer.outcome) == expected


@pytest.mark.parametrize("sender", [INCODE, WULTRA], ids=str)
@pytest.mark.parametrize("body", [None, "", ...], ids=["null", "empty", "none"])
def test_no_body_is_an_empty_body_to_all(verdict, sender, its_event, body):
    event = without(its_event, "body") if body is ... else {**its_event, "body": body}
    assert called(verdict, sender).answer(event).outcome == "quarantined"


@pytest.mark.parametrize("sender", [TREEZOR], ids=str)
@pytest.mark.parametrize("body", [None, "", ...], ids=["null", "empty", "none"])
def test_no_body_holds_no_signature(verdict, sender, its_event, body):
    event = without(its_event, "body") if body is ... else {**its_event, "body": body}
    assert_refused(verdict, called(verdict, sender), event, 500)


def test_base64_and_text_are_the_same_webhook(verdict, sender, its_event):
    encoded = base64.b64encode(its_event["body"].encode()).decode()
    assert called(verdict, sender).answer({**its_event, "body": encoded, "isBase64Encoded": True}).outcome == "recorded"
    assert called(verdict, sender).answer(its_event).outcome == "duplicate"


@pytest.mark.parametrize("before", ["/production", "/a/b/c", "/secret%20prefix", "/"])
def test_a_stage_or_a_base_path_may_stand_before_the_path(verdict, sender, its_event, before):
    answer = called(verdict, sender).answer({**its_event, "rawPath": before + its_event["rawPath"]})
    assert answer.outcome == "recorded"


TOKEN = TREEZOR.keys["urlTokens"][0]


@pytest.mark.parametrize("sender", [TREEZOR], ids=str)
@pytest.mark.parametrize("query, expected", [
    (f"token={TOKEN}", "recorded"), (f"x=1&token={TOKEN}&y", "recorded"), (f"&&token={TOKEN}&", "recorded"),
    ("token=" + "".join(f"%{ord(letter):02x}" for letter in TOKEN), "recorded"), (f"%74oken={TOKEN}", "recorded"),
    ("", "refused"), ("token", "refused"), ("token=", "refused"), (f"token={TOKEN}&token", "refused"),
    (f"token={TOKEN}&%74oken=x", "refused"), (f"token={TOKEN},{TOKEN}", "refused"), (f"token={TOKEN}%00", "refused"),
    (f"token={TOKEN}+", "refused"), (f"token[]={TOKEN}", "refused"), (f"TOKEN={TOKEN}", "refused"),
    (f"token={TOKEN}%ff", "refused"), (f"token={TOKEN};x=1", "refused"), ("%zz&token=%", "refused"),
])
def test_the_token_is_read_from_the_query_as_it_was_written(verdict, sender, its_event, query, expected):
    # What the gateway made of the query is not looked at: it joins what comes twice.
    event = {**its_event, "rawQueryString": query, "queryStringParameters": {"token": TOKEN}}
    answer = called(verdict, sender).answer(event)
    assert (answer.status, answer.outcome) == ({"recorded": 200, "refused": 500}[expected], expected)


def assert_refused(verdict, function, payload, status):
    before = size(verdict)
    answer = function.answer(payload)
    assert (answer.status, answer.outcome, answer.session) == (status, "refused", None), answer
    assert size(verdict) == before
    return answer
