"""What is kept of a webhook: enough to read it again, no images, no keys, and not for ever."""
from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import replace

import pytest
from attacks import on_binaries

from .deliveries import INCODE, SENDERS, TREEZOR, WULTRA, decision, genuine, post, room
from .table import items

pytestmark = [pytest.mark.usefixtures("believing"), on_binaries("secrets in bodies")]

DAY_SECONDS = 24 * 60 * 60


def kept(verdict, session_id, provider="veriff"):
    [item] = items(verdict, session_id, "PAYLOAD", provider)
    return item


def test_a_payload_is_kept_as_it_was_written_and_expires(verdict, session_id):
    document = decision(session_id, x=9007199254740993, person={"firstName": "SAMPLE"})
    post(verdict, genuine(document))
    item = kept(verdict, session_id)
    assert json.loads(item["payload"]["S"]) == document
    assert int(item["expiresAt"]["N"]) == pytest.approx(time.time() + 400 * DAY_SECONDS, abs=60)


def test_only_payloads_expire(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    assert [item["sk"]["S"].split("#")[0] for item in items(verdict, session_id) if "expiresAt" in item] == ["PAYLOAD"]


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_images_are_kept_as_their_digest_and_keys_not_at_all(verdict, session_id, sender):
    image = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (
        b'{"alg":"HS256"}', b'{"sub":"t0ken"}', b"\1" * 32))
    more = {
        "images": [{"content": base64.b64encode(image).decode()}], "sessionToken": "t0ken", "apiKey": "k3y",
        "password": "passw0rd",
        "nested": json.dumps({"accessToken": "t0ken", "image": base64.b64encode(image).decode()}),
        "link": f"https://example.com/?t={token}"}
    members = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in more.items())

    post(verdict, sender.approves(session_id, members))

    session = sender.session(session_id)
    text = kept(verdict, session, sender.provider)["payload"]["S"]
    [stored] = found(json.loads(text), "images")
    assert stored["content"] == {"kind": "image/jpeg", "bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()}
    assert text.count(hashlib.sha256(image).hexdigest()) == 2
    everything = json.dumps(items(verdict, session, provider=sender.provider))
    for secret in ("t0ken", "k3y", "passw0rd", "apiKey", "sessionToken", "accessToken", token.split(".")[1]):
        assert secret not in everything
    spelled = base64.b64encode(image).decode()
    assert not [at for at in range(0, len(spelled) - 64, 32) if spelled[at:at + 32] in everything]


def found(document, name):
    """The value of the one member of that name, wherever it is."""
    if isinstance(document, dict) and name in document:
        return document[name]
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return next((value for value in (found(each, name) for each in inner) if value is not None), None)


@pytest.mark.parametrize("more", [
    lambda room: f',"x":"{"two words " * (room // 10)}"', lambda room: ',"x":[' + '"two words",' * (room // 12) + '""]',
    lambda room: "".join(f',"m{number}":{number}' for number in range(room // 18)),
], ids=["one text", "a list", "many members"])
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_whatever_arrives_fits_in_the_table(verdict, session_id, sender, more):
    assert post(verdict, sender.approves(session_id, more(room(sender)))).outcome == "recorded"
    session = sender.session(session_id)
    for item in items(verdict, session, provider=sender.provider):
        assert len(json.dumps(item)) < 400 * 1024
    json.loads(kept(verdict, session, sender.provider)["payload"]["S"])


@pytest.mark.parametrize("path, body, secrets", [
    ("/incode/authentication", {"overallStatus": "PASS", "token": "s3cret-1", "interviewToken": "s3cret-2"}, 2),
    ("/incode/work-history", {"requestId": "r", "workHistory": {"apiKey": "s3cret-1", "employer": "kept"}}, 1),
], ids=["authentication", "work history"])
def test_the_secrets_in_incodes_own_webhooks_are_not_kept(verdict, session_id, path, body, secrets):
    body = {"interviewId": session_id, **body}
    assert json.dumps(body).count("s3cret") == secrets
    assert post(verdict, replace(INCODE.genuine(body), path=path)).outcome == "recorded"
    assert "s3cret" not in json.dumps(items(verdict, session_id, provider="incode"))


def test_a_treezor_webhook_is_kept_in_its_envelope(verdict, session_id):
    sent = TREEZOR.approves(session_id)
    post(verdict, sent)
    text = kept(verdict, TREEZOR.session(session_id), "treezor")["payload"]["S"]
    unsigned = {name: value for name, value in json.loads(sent.body).items() if name != "object_payload_signature"}
    assert json.loads(text) == unsigned


def test_the_document_of_a_wultra_webhook_is_kept_as_it_was_written(verdict, session_id):
    sent = WULTRA.approves(session_id, ',"score":10.0,"x":1E400')
    post(verdict, sent)
    assert kept(verdict, session_id, "wultra")["payload"]["S"].encode() == sent.body
