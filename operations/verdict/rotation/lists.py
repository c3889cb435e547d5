"""The lists in a provider's credentials, and what each step of a rotation makes of one."""
from __future__ import annotations

import enum
from typing import Any, Iterator, Mapping, Optional, Sequence

from ..problem import Problem

#: The lists by provider. `*` stands for the name of a header.
LISTS = {
    "veriff": ("secrets", "apiKeys"),
    "incode": ("headers.*", "oauth.clients", "oauth.signingKeys"),
    "treezor": ("secrets", "urlTokens"),
    "wultra": ("basic", "headers.*"),
}
#: The list that every provider may have.
EDGE = "edgeHeader"
#: The list of which Verdict alone uses an entry, the first.
SIGNING_KEYS = "oauth.signingKeys"
#: The lists whose values the provider makes, and hands over.
HANDED_OVER = {"veriff": ("secrets", "apiKeys"), "treezor": ("secrets",)}
#: By list of logins: the members of an entry, its name and its secret.
LOGINS = {"basic": ("username", "password"), "oauth.clients": ("id", "secret")}

#: An entry: a text, or a login.
Entry = Any


class Step(enum.Enum):
    """A step of a rotation."""

    #: A new entry, at the end.
    ADD = "add"
    #: The entry becomes the current one, at the front.
    PROMOTE = "promote"
    #: An entry that isn't the current one goes.
    REMOVE = "remove"


def lists_of(provider: str, keys: Mapping[str, Any]) -> dict[str, list[Entry]]:
    """The lists that a provider's credentials have, by name."""
    return {name: entries for pattern in (*LISTS[provider], f"{EDGE}.*") for name, entries in matching(keys, pattern)}


def matching(keys: Mapping[str, Any], pattern: str) -> Iterator[tuple[str, list[Entry]]]:
    *parents, last = pattern.split(".")
    for parent in parents:
        keys = keys.get(parent, {})
    for name in keys if last == "*" else filter(keys.__contains__, [last]):
        yield ".".join([*parents, name]), keys[name]


def choose(lists: Mapping[str, list[Entry]], wanted: Optional[str]) -> str:
    """The list that is meant: the one that is named, or the only one."""
    found = [name for name in lists if wanted in (None, name)]
    if len(found) != 1:
        raise Problem(f"the secret has the lists {', '.join(lists)}: say which one with --list (LIST=)")
    return found[0]


def secret_of(name: str, entry: Entry) -> str:
    """What is secret of an entry of a list."""
    return entry[LOGINS[name][1]] if name in LOGINS else entry


def entry_of(name: str, entries: Sequence[Entry], value: str, login: Optional[str]) -> Entry:
    """A new entry of a list. A login has the name of the current one, unless it gets another."""
    if name not in LOGINS:
        if login is not None:
            raise Problem(f"{name} has no logins: leave --login (LOGIN=) out")
        return value
    called, secret = LOGINS[name]
    return {called: login or entries[0][called], secret: value}


def position_of(step: Step, entries: Sequence[Entry], wanted: Optional[int]) -> int:
    """The position, from 1, of the entry that a step is about: the one that is said, or the only one that it can be."""
    if step is Step.ADD:
        if wanted is not None:
            raise Problem("a new entry goes to the end of its list: leave --position (POSITION=) out")
        return len(entries) + 1
    if len(entries) == 1:
        raise Problem(f"the list has one entry, which is the current one: there is nothing to {step.value}")
    if wanted is None and step is Step.REMOVE and len(entries) > 2:
        raise Problem(f"the list has {len(entries)} entries: say with --position (POSITION=) which one is to go, "
                      f"from 2 to {len(entries)}")
    position = len(entries) if wanted is None else wanted
    if not 2 <= position <= len(entries):
        raise Problem(f"--position (POSITION=) must be from 2 to {len(entries)}: entry 1 is the current one")
    return position


def after(step: Step, entries: Sequence[Entry], position: int, new: Entry = None) -> list[Entry]:
    """The list after a step."""
    if step is Step.ADD:
        return [*entries, new]
    one, others = entries[position - 1], [*entries[:position - 1], *entries[position:]]
    return [one, *others] if step is Step.PROMOTE else others


def last_step(now: Sequence[Entry], before: Optional[Sequence[Entry]]) -> Optional[Step]:
    """The step that led from one version of a list to the next; None if it can't be told, or was none."""
    if before is None or list(now) == list(before):
        return None
    for step in Step:
        positions = [len(before) + 1] if step is Step.ADD else range(2, len(before) + 1)
        if any(after(step, before, position, now[-1]) == list(now) for position in positions):
            return step
    return None
