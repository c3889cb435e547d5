"""The name of a release: another one for each change, the same for none, and nothing of the secrets in it."""
from __future__ import annotations

import pytest
from stack.trial import credentials
from verdict import release
from verdict.release import digest, name


SECRET = "Zk3sYdLm8wQ7rT2vB9xP"
CONTENT = {"file Replay": "0a", "parameter LogLevel": "INFO", "parameter VeriffCredentials": SECRET}
PROVIDERS = credentials("Incode", "Wultra")


def test_the_same_content_keeps_its_name():
    first = name(CONTENT)
    assert name(dict(reversed(CONTENT.items())), first) == first


@pytest.mark.parametrize("changed", [
    {"file Replay": "0b"}, {"parameter LogLevel": "DEBUG"}, {"parameter VeriffCredentials": f"{SECRET}x"},
    {"parameter Tracing": "true"}])
def test_each_change_makes_another_name_with_another_salt(changed):
    first = name(CONTENT)
    second = name(CONTENT | changed, first)
    assert not set(first.split("-")) & set(second.split("-"))
    # SAM makes the name of a version of so much of it.
    assert first[:10] != second[:10]


def test_a_change_that_is_undone_has_a_name_of_its_own():
    # A version of the first name is there already: CloudFormation would not publish another.
    first = name(CONTENT)
    second = name(CONTENT | {"parameter LogLevel": "DEBUG"}, first)
    assert name(CONTENT, second) not in (first, second)


@pytest.mark.parametrize("current", ["", "by-hand-1234", "0123456789abcdef"])
def test_a_name_that_was_given_by_hand_gives_way(current):
    assert release.FORM.fullmatch(name(CONTENT, current))


def test_the_name_holds_nothing_of_a_secret_and_depends_on_the_salt():
    first, second = name(CONTENT), name(CONTENT)
    assert first != second
    assert digest(CONTENT, "00" * 16) != digest(CONTENT, "01" + "00" * 15)
    # Not the digest that a table of guesses would hold.
    assert release.COST["n"] >= 2 ** 15


def test_a_file_counts_by_what_is_in_it(tmp_path):
    file = tmp_path / "bootstrap"
    file.write_bytes(b"one")
    first = release.content({"Replay": file}, {})
    file.write_bytes(b"two")
    assert release.content({"Replay": file}, {}) != first
