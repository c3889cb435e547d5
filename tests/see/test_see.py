"""The parts of `make see` that need no browser: where Chromium is, and the names that do harm."""
from __future__ import annotations

import json
import re

import pytest

from see import hostile
from see.chromium import NoChromium, chromium
from see.stage import token_of
from stack.deployment import webhooks

EVERY = hostile.names()


@pytest.fixture
def program(tmp_path):
    def make(name: str) -> str:
        file = tmp_path / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        return str(file)
    return make


def test_the_first_chromium_on_the_path_is_taken(tmp_path, program):
    program("google-chrome")
    wanted = program("chromium")
    assert chromium({"PATH": str(tmp_path)}) == wanted


def test_the_one_that_is_asked_for_is_taken_before_others(tmp_path, program):
    program("chromium")
    other = program("other")
    assert chromium({"PATH": str(tmp_path), "CHROMIUM": other}) == other


@pytest.mark.parametrize("more, said", [
    ({}, "apt-get install chromium"),
    ({"CHROMIUM": "/nowhere/chromium"}, "CHROMIUM is '/nowhere/chromium'"),
])
def test_without_one_it_says_how_to_get_it(tmp_path, more, said):
    with pytest.raises(NoChromium, match=re.escape(said)):
        chromium({"PATH": str(tmp_path), **more})


@pytest.mark.parametrize("address, token", [
    ("http://127.0.0.1:4600/#token=abc_-9", "abc_-9"),
    ("http://127.0.0.1:4600/", ""),
    ("http://127.0.0.1:4600/?token=abc", ""),
])
def test_the_token_stands_in_the_fragment(address, token):
    assert token_of(address) == token


def test_there_are_a_hundred_names_each_with_a_mark_of_its_own():
    assert len(set(EVERY)) == 100
    assert all(name.endswith(hostile.mark(number)) for number, name in enumerate(EVERY))


@pytest.mark.parametrize("part", [
    "<script>", '"onload="', "onerror=", "javascript:", "\u202e", "\u200f", "\x1b[", "\x00", "W" * 10_000,
])
def test_they_have_what_does_harm(part):
    assert any(part in name for name in EVERY)


def test_a_short_name_keeps_its_mark_and_its_size():
    for name in EVERY:
        for size in (60, 250, 1000):
            short = hostile.short(name, size)
            assert len(short.encode()) <= size
            assert short.endswith(name[-len(hostile.mark(0)):])


@pytest.mark.parametrize("sample", hostile.FIELDS)
def test_a_webhook_has_the_name_in_each_field_and_is_proved(sample):
    name = "<b class=theirs>Ann</b> n°001"
    event = hostile.webhook(sample, name)
    body = json.loads(webhooks.body_of(event))
    for path in hostile.FIELDS[sample]:
        value = body
        for member in path.split("."):
            value = value[int(member)] if isinstance(value, list) else value[member]
        assert "n°001" in json.dumps(value, ensure_ascii=False)
    assert event["headers"] != {} and event != webhooks.read_json(webhooks.find(sample).file)
