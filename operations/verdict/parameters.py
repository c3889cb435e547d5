"""The parameter file: values of the template's parameters by name, in YAML.

Every value is taken as the text that stands there, as CloudFormation does; what is nested is taken as JSON, in which
only `null`, `true`, `false` and plain numbers of up to 18 digits are more than text. No message holds anything of the
file's content.
"""
from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Union

import yaml

from .problem import Problem

TAG = "tag:yaml.org,2002:"
#: The tags of what was written without one.
UNTAGGED = {f"{TAG}str", f"{TAG}seq", f"{TAG}map"}
NOTHING = {"", "~", "null", "Null", "NULL"}
WORDS = {**dict.fromkeys(NOTHING), "true": True, "false": False}
#: The nodes that a document is made of.
AnyNode = Union[yaml.ScalarNode, yaml.SequenceNode, yaml.MappingNode]
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")


@dataclass(frozen=True)
class Parameter:
    """One entry of the file."""

    name: str
    line: int
    #: As CloudFormation shall get it; JSON where it is nested.
    value: str
    is_nested: bool = False

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, line {self.line})"


def read(path: Path) -> list[Parameter]:
    """The file's entries in their order; a name may come twice."""
    try:
        return parse(path.read_bytes(), path.name)
    except OSError as error:
        raise Problem(f"can't read {path} ({error.strerror}): it holds the template's parameters; docs/deploy.md, "
                      "\"The first deploy\", shows what goes in, and PARAMETERS= names another file") from None


def parse(content: bytes, name: str) -> list[Parameter]:
    """The entries of a file of that name."""
    root = compose(content, name)
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise Problem(f"{name}, {place(root)}: there must be names of parameters with their values, as in `LogLevel: INFO`")
    return [parameter(key, value, name) for key, value in root.value]


def compose(content: bytes, name: str) -> Optional[yaml.Node]:
    """The document's nodes, of which each knows its place."""
    try:
        text = content.decode("utf-8-sig")
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if isinstance(event, yaml.AliasEvent):
                raise Problem(f"{name}, {place(event)}: write the value out; `*` aliases are not read "
                              "(a value that begins with * needs quotes)")
        return yaml.compose(text, Loader=yaml.BaseLoader)
    except UnicodeDecodeError:
        raise Problem(f"{name} is not in UTF-8: save it in that encoding") from None
    except yaml.MarkedYAMLError as error:
        # The error's own text may quote the file.
        at = error.problem_mark or error.context_mark
        line, column = (at.line + 1, at.column + 1) if at else (1, 1)
        raise Problem(f"{name}, line {line}, column {column}: this isn't YAML; look at the quotes, brackets "
                      "and indentation there and in the line above") from None
    except (yaml.YAMLError, RecursionError):
        raise Problem(f"{name} holds characters that YAML does not allow, or is nested too deep") from None


def parameter(key: yaml.Node, value: AnyNode, name: str) -> Parameter:
    check_key(key, name)
    line = key.start_mark.line + 1
    if isinstance(value, yaml.ScalarNode):
        check_tag(value, name)
        nothing = value.style is None and value.value in NOTHING
        return Parameter(key.value, line, "" if nothing else text_of(value, name))
    nested = json.dumps(structure(value, name), ensure_ascii=False, separators=(",", ":"))
    return Parameter(key.value, line, nested, is_nested=True)


def structure(node: AnyNode, name: str) -> Any:
    """A nested value as JSON has it."""
    check_tag(node, name)
    if isinstance(node, yaml.SequenceNode):
        return [structure(entry, name) for entry in node.value]
    if isinstance(node, yaml.MappingNode):
        return members(node, name)
    text = text_of(node, name)
    if node.style is not None:
        return text
    return WORDS[text] if text in WORDS else json.loads(text) if NUMBER.fullmatch(text) else text


def members(node: yaml.MappingNode, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        check_key(key, name)
        if key.value in found:
            raise Problem(f"{name}, {place(key)}: this member is given twice; keep one of the two")
        found[key.value] = structure(value, name)
    return found


def check_key(key: yaml.Node, name: str) -> None:
    check_tag(key, name)
    if not isinstance(key, yaml.ScalarNode):
        raise Problem(f"{name}, {place(key)}: a name must be a single word")


def check_tag(node: yaml.Node, name: str) -> None:
    if node.tag not in UNTAGGED:
        raise Problem(f"{name}, {place(node)}: YAML tags (a word with ! before it) are not read; "
                      "a value that begins with ! needs quotes")


def text_of(node: yaml.ScalarNode, name: str) -> str:
    """A scalar's text; JSON's way of writing a character as two halves makes one character."""
    try:
        text = node.value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise Problem(f"{name}, {place(node)}: this holds half a character (\\ud800 to \\udfff stand in pairs)") from None
    if "\0" in text:
        raise Problem(f"{name}, {place(node)}: this holds a NUL character, which AWS does not take")
    return text


def place(of: Any) -> str:
    return f"line {of.start_mark.line + 1}, column {of.start_mark.column + 1}"


# ---- What must not be shown ----

#: What is shorter shows up in ordinary words.
SHORTEST_SECRET = 8


def secrets(value: str) -> Iterator[str]:
    """The texts of a parameter's value that must be in no output: the value's lines, and each text in its JSON."""
    yield from forms(value)
    try:
        yield from texts(json.loads(value))
    except (ValueError, RecursionError):
        # What is no JSON still holds whatever it holds between quotes and white space.
        yield from long_lines("\n".join(re.split(r"[\s\"',:{}\[\]]+", value)))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield from forms(value)


def forms(text: str) -> Iterator[str]:
    """A text as it may be printed: as it is, as Python shows it, within JSON, and within JSON that is within JSON."""
    for each in (text, repr(text)[1:-1]):
        yield from long_lines(each)
    for ascii_only in (True, False):
        within = text
        for _ in range(2):
            within = json.dumps(within, ensure_ascii=ascii_only)[1:-1]
            yield from long_lines(within)


def long_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if len(line) >= SHORTEST_SECRET)
