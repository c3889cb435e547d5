"""How far back a release may be taken, as the changelog says; and where an alias remembers what was live before."""
from __future__ import annotations

from typing import Any

import pytest
from verdict.live import REMEMBERED, Pointer, Release, release_of, stranded
from verdict.rollback import CHANGELOG, History

TEXT = """# Changelog

## Unreleased

`make rollback` reaches back to 0.3.0. Earlier ones can't read what it stores.

## 0.4.0

`make rollback` reaches back to this release.

## 0.3.0

`make rollback` reaches back to 0.2.0.

## 0.2.0

`make rollback` reaches back to this release.
"""


@pytest.fixture
def history(tmp_path):
    (tmp_path / "CHANGELOG.md").write_text(TEXT, "utf-8")
    return History.read(tmp_path / "CHANGELOG.md")


@pytest.mark.parametrize("newest, to", [
    ("v0.4.0-7-gabcdef0", "v0.4.0"), ("v0.4.0-7-gabcdef0", "v0.3.0"), ("v0.4.0-7-gabcdef0", "v0.4.0-2-gabcdef0"),
    ("v0.3.0", "v0.2.0"), ("0.3.0", "v0.2.0-9-gabcdef0"), ("v0.4.0", "v0.4.0-dirty"),
    # What names no release is from after the last one.
    ("abcdef0", "1234567-dirty"), ("abcdef0", "v0.4.0"), ("unknown", "v0.3.0"),
    # Forwards is always far enough.
    ("v0.2.0", "v0.4.0"),
])
def test_a_release_may_be_taken_back_as_far_as_its_section_says(history, newest, to):
    assert history.objection(newest, to) is None


@pytest.mark.parametrize("newest, to, limit", [
    ("v0.4.0-7-gabcdef0", "v0.2.0", "0.3.0"), ("abcdef0", "v0.2.0", "0.3.0"), ("v0.4.0", "v0.3.0", "0.4.0"),
    # So many commits after a release is before the next one.
    ("v0.4.0", "v0.3.0-9-gabcdef0-dirty", None), ("v0.3.0-9-gabcdef0", "v0.3.0", "0.4.0"),
])
def test_and_no_further(history, newest, to, limit):
    objection = history.objection(newest, to)
    if limit is None:
        assert objection is None
    else:
        assert objection is not None and f"may be taken back as far as {limit}" in objection


@pytest.mark.parametrize("newest, to", [("v0.9.0", "v0.4.0"), ("v0.4.0", "v0.1.0"), ("v0.9.0-1-gabcdef0", "v0.4.0")])
def test_a_release_that_the_changelog_does_not_have_is_said(history, newest, to):
    objection = history.objection(newest, to)
    assert objection is not None and "doesn't have the release" in objection


def test_each_section_of_this_changelog_says_it():
    sections = [line.split()[1] for line in CHANGELOG.read_text("utf-8").splitlines() if line.startswith("## ")]
    assert History.read().sections == sections
    assert all(reach in sections for reach in History.read().reaches.values())


# ---- What an alias remembers ----

@pytest.mark.parametrize("description, before", [
    ("before: 4, 3, 1", ("4", "3", "1")), ("before: 12", ("12",)), ("", ()), ("by hand", ()), (None, ())])
def test_an_alias_remembers_the_versions_before_in_its_description(description, before):
    pointer = Pointer.of("f", {"FunctionVersion": "5", "Description": description})
    assert pointer == Pointer("f", "5", before)
    if before:
        assert pointer.description == description


def test_going_on_and_back_again_is_where_it_began():
    began = Pointer("f", "5", ("4", "2"))
    assert began.followed_by("6") == Pointer("f", "6", ("5", "4", "2"))
    assert began.followed_by("6").taken_back() == began
    assert Pointer("f", "1").taken_back() is None


def test_a_description_holds_as_much_as_aws_takes():
    pointer = Pointer("f", "100000", tuple(str(100000 - number) for number in range(1, 500)))
    assert len(pointer.description) <= 256
    assert len(Pointer.of("f", {"FunctionVersion": "1", "Description": pointer.description}).before) == REMEMBERED


# ---- Whether a version can still work ----

NOW: dict[str, Any] = {
    "Role": "arn:aws:iam::123456789012:role/now", "VpcConfig": {"SubnetIds": ["subnet-1"]},
    "Environment": {"Variables": {
        "SESSIONS_TABLE": "sessions", "DECISIONS_QUEUE_URL": "https://queues.example/decisions", "VERDICT_LOG": "INFO",
        "VERIFF_CREDENTIALS_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:veriff-AbCdEf"}}}


class Functions:
    """Lambda's answers about one function: its newest code, and version 4."""

    def __init__(self, then: dict):
        self.answers = {"f": NOW, "f:4": then}

    def client(self, _: str) -> Functions:
        return self

    def get_function_configuration(self, FunctionName: str) -> dict:
        return self.answers[FunctionName]


def then(**variables: str) -> dict:
    return {**NOW, "Environment": {"Variables": {**NOW["Environment"]["Variables"], **variables}}}


@pytest.mark.parametrize("gone", [
    {**NOW, "Role": "arn:aws:iam::123456789012:role/teams/then"}, {**NOW, "VpcConfig": {"SubnetIds": ["subnet-2"]}},
    then(SESSIONS_TABLE="restored"), then(DECISIONS_QUEUE_URL="https://queues.example/another"),
    then(VERIFF_CREDENTIALS_ARN="arn:aws:secretsmanager:eu-west-1:123456789012:secret:old-AbCdEf")])
def test_a_version_without_its_role_table_queue_secret_or_network_cannot_come_back(gone):
    functions: Any = Functions(gone)
    assert stranded(functions, [Pointer("f", "4", ("3",))]) == ["f"]


@pytest.mark.parametrize("other", [
    NOW, then(VERDICT_LOG="DEBUG", VERIFF_CREDENTIALS='{"secrets":["…"]}'), {**NOW, "VpcConfig": {}},
    {"Role": NOW["Role"], "Environment": {"Variables": {"SESSIONS_TABLE": "sessions"}}}])
def test_one_that_lacks_nothing_can(other):
    functions: Any = Functions(other)
    assert stranded(functions, [Pointer("f", "4", ("3",))]) == []


@pytest.mark.parametrize("configuration, release", [
    ({"Description": "Does this. 0123456789-abc", "Environment": {"Variables": {"VERDICT_VERSION": "v0.4.0"}}},
     Release("v0.4.0", "0123456789-abc")),
    ({"Description": "Does this. ", "Environment": {"Variables": {"VERDICT_VERSION": "v0.4.0"}}}, Release("v0.4.0")),
    ({"Description": "Does this, and says so."}, Release("unknown")), ({}, Release("unknown"))])
def test_a_versions_release_is_read_from_what_it_was_deployed_with(configuration, release):
    assert release_of(configuration) == release
