"""The console's page knows all of Verdict's words, and orders outcomes as a record does."""
from __future__ import annotations

import json
import re
from typing import Any, Iterable

import pytest

from see.lint import PAGE
from stack.deployment import ROOT

SCRIPT = (PAGE / "console.js").read_text("utf-8")
CAUTION = (ROOT / "shared/sessions/src/caution.rs").read_text("utf-8")
REFUSALS = (ROOT / "shared/webhooks/src/refusal.rs").read_text("utf-8")
PROVIDER = (ROOT / "shared/webhooks/src/providers/provider.rs").read_text("utf-8")
AUDIT = (ROOT / "operations/verdict/audit.py").read_text("utf-8")
RUNBOOK = (ROOT / "docs/operate.md").read_text("utf-8")


def page_list(name: str) -> list[str]:
    """The words of a list of the page's."""
    return re.findall(r"'(\w+)'", found(rf"const {name} = \[(.*?)\];", SCRIPT))


def members(name: str) -> set[str]:
    """The names of an object of the page's."""
    return set(re.findall(r"(?:^|[{,])\s*(\w+): ", found(rf"const {name} = \{{(.*?)\}};", SCRIPT), re.MULTILINE))


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.DOTALL)
    assert match, pattern
    return match[1]


def cautious(name: str) -> list[str]:
    """A list of caution.rs, in the words that a record has."""
    variants = re.findall(r"::(\w+)", found(rf"const {name}.*?= \[(.*?)\];", CAUTION))
    return [re.sub(r"(?<!^)(?=[A-Z])", "_", variant).lower() for variant in variants]


def words_of(schema: str, definition: str) -> list[str]:
    document: Any = json.loads((ROOT / f"docs/contract/{schema}.schema.json").read_text("utf-8"))
    return list(document["$defs"][definition]["enum"])


def as_str(text: str, of: str) -> Iterable[str]:
    return re.findall(r'=> "(\w+)"', text[text.index(f"impl {of}"):])


def quarantine_reasons() -> set[str]:
    table = found(r"### The quarantine is not empty.*?\n\|---\|---\|\n(.*?)\n\n", RUNBOOK)
    return {code for row in table.splitlines() for code in re.findall(r"`(\w+)`", row.split("|")[1])}


@pytest.mark.parametrize("page, record", [("DECISIONS_BY_CAUTION", "DECISIONS"), ("CHECKS_BY_CAUTION", "CHECKS")])
def test_outcomes_are_ordered_by_caution_as_in_a_record(page, record):
    assert page_list(page) == cautious(record)


@pytest.mark.parametrize("page, definition", [("OUTCOMES", "Outcome"), ("STATUSES", "Status")])
def test_sessions_are_listed_by_the_words_of_the_contract(page, definition):
    assert sorted(page_list(page)) == sorted(words_of("session", definition))


@pytest.mark.parametrize("definition", ["Outcome", "Status", "CheckOutcome"])
def test_each_word_of_a_record_has_a_shape_of_its_own(definition):
    # What is decided is shown by its outcome.
    assert set(words_of("session", definition)) - {"decided"} <= members("GLYPHS") | members("ALIKE")


def test_what_became_of_a_webhook_has_a_shape_and_a_meaning():
    dispositions = set(as_str(PROVIDER, "Disposition"))
    assert "recorded" in dispositions
    assert dispositions <= members("GLYPHS") and dispositions <= members("MEANING")


def test_each_refusal_has_a_meaning():
    refusals = set(as_str(REFUSALS, "Refusal"))
    assert "signature_mismatch" in refusals
    assert refusals <= members("MEANING")


def test_each_reason_of_the_quarantine_has_a_meaning():
    assert "not_json" in quarantine_reasons()
    assert quarantine_reasons() - {"member_missing"} <= members("MEANING")


def test_a_reason_is_what_the_audit_takes():
    assert found(r"const REASON = /\^(.*?)\$/;", SCRIPT) == found(r'REASON = re\.compile\(r"(.*?)"\)', AUDIT)
