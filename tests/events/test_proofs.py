"""PHP's JSON form, and the JWT, against texts and digests that were written out or made in another way."""
import json
import random

import pytest
import proofs
from verifying import php_form, value_of

# From PHP's documentation of `json_encode` and its default flags; the left side as a person would spell it.
WRITTEN = [
    ('{ "a" : 1 }', '{"a":1}'),
    ('"/"', r'"\/"'), (r'"\/"', r'"\/"'), (r'"\u002F"', r'"\/"'),
    ('"STADT KÖLN"', r'"STADT K\u00d6LN"'), (r'"K\u00D6LN"', r'"K\u00d6LN"'),
    ('"𠮷"', r'"\ud842\udfb7"'), (r'"\uD842\uDFB7"', r'"\ud842\udfb7"'), (r'"\uDFB7"', r'"\udfb7"'),
    ('"\x7f"', '"\x7f"'), (r'"\u007F"', '"\x7f"'), (r'"\\u007f"', r'"\\u007f"'),
    ("\"<>&'\"", "\"<>&'\""), (r'"\u0022\u005c"', r'"\"\\"'),
    (r'"\b\f\n\r\t\u0000\u001F\u000b"', r'"\b\f\n\r\t\u0000\u001f\u000b"'),
    (r'"\u2028"', r'"\u2028"'), ('"\x80"', r'"\u0080"'),
    ("[10.0, 1.0e+25, -0, 1E5, 0.10, 12345678901234567890]", "[10.0,1.0e+25,-0,1E5,0.10,12345678901234567890]"),
    ('{"2":1,"10":2,"1":{}, "a":[]}', '{"2":1,"10":2,"1":{},"a":[]}'),
    ('{"a b" : " c , d : e "}\n', '{"a b":" c , d : e "}'),
    ('{"a":1,"a":2}', '{"a":1,"a":2}'),
    ("\r\n\t [ true , false , null ] ", "[true,false,null]"),
]


@pytest.mark.parametrize("text, form", WRITTEN)
def test_php_s_form(text, form):
    assert proofs.php_json(text) == form
    assert proofs.php_json(form) == form
    assert php_form(text) == form


def test_php_s_form_is_that_of_the_values_whatever_the_spelling():
    chance = random.Random(0)
    texts = {spelled(chance, depth=4) for _ in range(2000)}
    assert len(texts) > 1000
    for text in texts:
        assert proofs.php_json(text) == php_form(text)


def spelled(chance, depth):
    """Some JSON text."""
    space = "".join(chance.choices(" \t\r\n", k=chance.randrange(3)))
    kind = chance.randrange(6 if depth else 3)
    if kind == 0:
        value = chance.choice(["0", "-0", "10.0", "1.0e+25", "1E-7", "123456789012345678901", "true", "false", "null"])
    elif kind in (1, 2):
        value = string(chance)
    elif kind == 3:
        value = "[" + ",".join(spelled(chance, depth - 1) for _ in range(chance.randrange(4))) + "]"
    else:
        members = (f"{space}{string(chance)}{space}:{spelled(chance, depth - 1)}" for _ in range(chance.randrange(4)))
        value = "{" + ",".join(members) + "}"
    return space + value + space


def string(chance):
    def character():
        char = chance.choice("aZ/\"\\'<>&{}[]:, \b\f\n\r\t\x00\x1f\x7f\x80éÖ€\u2028𠮷\ud800\udfff")
        escaped = json.dumps(char)[1:-1]
        if char >= " " and char not in '"\\' and not "\ud800" <= char <= "\udfff":
            return chance.choice([char, escaped, f"\\u{ord(char):04X}" if ord(char) < 0x10000 else char])
        return escaped

    return '"' + "".join(character() for _ in range(chance.randrange(8))) + '"'


# Made with `openssl dgst -sha256 -hmac "$SECRET" -binary | base64`.
PAYLOAD = r'{"users":[{"userId":"1","city":"K\u00d6LN \/ a"}]}'
SIGNED = '{"object_payload": %s, "webhook": "user.kycreview", "object_payload_signature": "", "object_id": "1"}'


@pytest.mark.parametrize("payload, kind, signature", [
    (PAYLOAD, "genuine", "qRzurgMC6X++o8yuKBs7lh0zZdbwCHS74vUzXslQ8/Y="),
    ('{ "users": [{"userId": "1", "city": "KÖLN / a"}] }', "genuine", "qRzurgMC6X++o8yuKBs7lh0zZdbwCHS74vUzXslQ8/Y="),
    ('{ "users": [{"userId": "1", "city": "KÖLN / a"}] }', "raw", "TPiVq8QFcxw0L2sZVI9lLbM4V1va79L8an2svQD+WCQ="),
])
def test_a_treezor_signature_is_the_one_that_openssl_makes(payload, kind, signature):
    event = {"headers": {}, "body": SIGNED % payload, "isBase64Encoded": False, "rawQueryString": ""}
    body = proofs.Treezor.prove(event, {"secrets": ["local-treezor-webhook-secret-0123456789"]}, kind)["body"]
    assert json.loads(value_of("object_payload_signature", body)) == signature
    assert json.loads(body)["object_id"] == "1" and value_of("object_payload", body) == payload


def test_an_incode_token_is_the_one_that_openssl_makes():
    token = proofs.Incode.token("local-incode-signing-key-0123456789abcdef", "local-incode", 4102444800)
    header, claims, signature = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InNhbXBsZXMifQ",
        "eyJpc3MiOiJ2ZXJkaWN0IiwiYXVkIjoiaW5jb2RlLXdlYmhvb2tzIiwic3ViIjoibG9jYWwtaW5jb2Rl"
        "IiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjQxMDI0NDQ4MDB9",
        "qNcJh2NN0gx-D3N7LYuZeSIIIDQ6faAFSWIDrul5cGk")
    assert token == f"{header}.{claims}.{signature}"
