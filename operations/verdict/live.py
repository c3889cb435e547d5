"""The version of each function that is live: the one that its alias points to.

Whatever starts a function, starts that one. CloudFormation points the alias to the version that a deployment publishes;
to take a deployment back, the alias is pointed to the version before. Which one that is, stands in the alias's
description, which no template sets: the versions that were live before, the latest first. A version that was taken back
isn't among them.
"""
from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterable, Mapping, Optional, TypeVar

from botocore.exceptions import ClientError

from .deployed import ALIAS
from .stack import Stack

BEFORE = "before: "
#: How many versions before the live one are remembered: their numbers fit into a description many times over.
REMEMBERED = 20
#: As many calls as are made at once.
AT_ONCE = 16
VERSION_VARIABLE = "VERDICT_VERSION"
GONE = "ResourceNotFoundException"
#: How the names of those variables end that a version can't work without.
NEEDED = ("SESSIONS_TABLE", "_QUEUE_URL", "_CREDENTIALS_ARN")
#: A release in a function's description, where SAM puts it at the end.
RELEASE = re.compile(r"(?<= )[0-9A-Za-z]{10}[0-9A-Za-z-]{0,90}$")

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Pointer:
    """Where a function's alias points."""

    #: The function, by the name that AWS knows.
    function: str
    version: str
    #: The versions that were live before this one, the latest first.
    before: tuple[str, ...] = ()

    @classmethod
    def of(cls, function: str, alias: Mapping[str, Any]) -> Pointer:
        """Reads an alias."""
        _, _, listed = str(alias.get("Description") or "").partition(BEFORE)
        return cls(function, alias["FunctionVersion"], tuple(re.findall(r"\d+", listed)))

    @property
    def description(self) -> str:
        return f"{BEFORE}{', '.join(self.before[:REMEMBERED])}" if self.before else ""

    def followed_by(self, version: str) -> Pointer:
        """The pointer to a newer version, which remembers this one."""
        return Pointer(self.function, version, (self.version, *self.before))

    def taken_back(self) -> Optional[Pointer]:
        """The pointer to the version before; None if there was none."""
        return Pointer(self.function, self.before[0], self.before[1:]) if self.before else None


#: Pointers by the function's logical id.
Pointers = Mapping[str, Pointer]


@dataclass(frozen=True)
class Release:
    """What a version of a function was deployed as."""

    #: Verdict's own version, as git names it.
    version: str
    #: The digest of functions and parameters; blank if SAM was not told any.
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.version} (release {self.digest[:10]})" if self.digest else self.version

    def is_named(self, name: str) -> bool:
        """Whether an operator means this one."""
        return name == self.version or (bool(self.digest) and self.digest.startswith(name))


def invoked(stack: Stack, function: str) -> str:
    """What invokes the live version of a function; in a stack of a release without aliases, the newest code."""
    return stack.template.alias(function) or stack.physical(function)


def read(stack: Stack) -> dict[str, Pointer]:
    """Where the aliases of a stack's functions point. Functions without one, of an earlier release, are left out."""
    names = {logical_id: name for logical_id, name in stack.template.resources("AWS::Lambda::Function").items()
             if stack.template.alias(logical_id)}
    found = at_once(lambda name: pointer(stack, name), names.values())
    return {logical_id: each for logical_id, each in zip(names, found) if each}


def pointer(stack: Stack, name: str) -> Optional[Pointer]:
    try:
        return Pointer.of(name, stack.client("lambda").get_alias(FunctionName=name, Name=ALIAS))
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        return None


def point(stack: Stack, pointers: Iterable[Pointer]) -> None:
    """Has aliases point there, and nowhere else: what a canary has begun ends, too."""
    functions = stack.client("lambda")
    at_once(lambda each: functions.update_alias(
        FunctionName=each.function, Name=ALIAS, FunctionVersion=each.version, Description=each.description,
        RoutingConfig={"AdditionalVersionWeights": {}}), pointers)


def remember(stack: Stack, before: Pointers) -> None:
    """After a deployment: has each alias that was pointed to a new version remember the one before."""
    moved = [(before[name], now) for name, now in read(stack).items()
             if name in before and before[name].version != now.version]
    point(stack, [replace(then.followed_by(now.version), function=now.function) for then, now in moved])


def put_back(stack: Stack, before: Pointers) -> list[str]:
    """Has the aliases point to where they did before. Returns the functions whose alias pointed elsewhere."""
    moved = [name for name, now in read(stack).items() if name in before and before[name] != now]
    point(stack, [before[name] for name in moved])
    return moved


def stranded(stack: Stack, pointers: Iterable[Pointer]) -> list[str]:
    """The functions of which a version was published with something that the newest code has no more: it may be gone, or not
    be open to the function's role."""
    def needs(name: str) -> set[tuple[str, str]]:
        return needed(stack.client("lambda").get_function_configuration(FunctionName=name))

    def is_stranded(pointer: Pointer) -> bool:
        return not needs(f"{pointer.function}:{pointer.version}") <= needs(pointer.function)

    each = [*pointers]
    return sorted(pointer.function for pointer, lacks in zip(each, at_once(is_stranded, each)) if lacks)


def needed(configuration: Mapping[str, Any]) -> set[tuple[str, str]]:
    """What a version can't work without: its role, its network, and what it knows by a variable."""
    variables = configuration.get("Environment", {}).get("Variables", {})
    known = {(name, value) for name, value in variables.items() if name.endswith(NEEDED)}
    network = {("subnet", subnet) for subnet in configuration.get("VpcConfig", {}).get("SubnetIds", [])}
    return {("role", configuration["Role"]), *known, *network}


def outdated(stack: Stack, pointers: Pointers) -> list[str]:
    """The functions of which a version older than the last deployment's is live."""
    published = stack.template.published()
    return [name for name, each in pointers.items() if name in published and int(each.version) < int(published[name])]


def release(stack: Stack, function: str, version: str) -> Release:
    """What a version of a function was deployed as."""
    return release_of(stack.client("lambda").get_function_configuration(FunctionName=f"{function}:{version}"))


def release_of(configuration: Mapping[str, Any]) -> Release:
    digest = RELEASE.search(configuration.get("Description", ""))
    variables = configuration.get("Environment", {}).get("Variables", {})
    return Release(variables.get(VERSION_VARIABLE, "unknown"), digest[0] if digest else "")


def at_once(call: Callable[[Given], Made], each: Iterable[Given]) -> list[Made]:
    """Calls AWS for all of them at once, to the end even if a call fails, and raises what failed first."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [done.result() for done in [pool.submit(call, one) for one in each]]
