"""What is kept of a webhook: enough to read it again, no images, no keys, and not for ever."""
from __future__ import annotations

import base64
import hashlib
import json
import time

import pytest

from .deliveries import decision, genuine, post
from .table import items

DAY_SECONDS = 24 * 60 * 60


def kept(verdict, session_id):
    [item] = items(verdict, session_id, "PAYLOAD")
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


def test_images_are_kept_as_their_digest_and_keys_not_at_all(verdict, session_id):
    image = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400
    post(verdict, genuine(decision(
        session_id, images=[{"content": base64.b64encode(image).decode()}], sessionToken="t0ken", apiKey="k3y")))
    text = kept(verdict, session_id)["payload"]["S"]
    [stored] = json.loads(text)["verification"]["images"]
    assert stored["content"] == {"kind": "image/jpeg", "bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()}
    assert "t0ken" not in text and "k3y" not in text and "apiKey" not in text and "sessionToken" not in text


@pytest.mark.parametrize("more", [
    {"x": "two words " * 440_000}, {"x": ["two words"] * 300_000}, {f"m{number}": number for number in range(250_000)},
], ids=["one text", "a list", "many members"])
def test_whatever_arrives_fits_in_the_table(verdict, session_id, more):
    assert post(verdict, genuine(decision(session_id, **more))).outcome == "recorded"
    for item in items(verdict, session_id):
        assert len(json.dumps(item)) < 400 * 1024
    json.loads(kept(verdict, session_id)["payload"]["S"])
