"""What the doctor tells of one part of a stack."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Union

from ..stack import Stack


@dataclass(frozen=True)
class Fine:
    """A part that is as it should be."""

    #: The part, of which the report only tells how many there were of its sort.
    resource: str
    #: What to know of it all the same.
    remark: str = ""


@dataclass(frozen=True)
class Finding:
    """A part that isn't."""

    #: Its logical id in the template.
    resource: str
    #: What is wrong with it.
    wrong: str
    #: What to do.
    remedy: str
    #: Where it shows; what is wrong in several places with the same remedy is one finding.
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f", with {', '.join(self.places)}" if self.places else ""
        return f"{self.resource}: {self.wrong}{where}; {self.remedy}"


def folded(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, those that differ only in their places as one."""
    together: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for each in findings:
        what = (each.resource, each.wrong, each.remedy)
        together[what] = together.get(what, ()) + each.places
    return [Finding(*what, places) for what, places in together.items()]


Result = Union[Fine, Finding]
#: One look at a stack's part.
Look = Callable[[], Iterator[Result]]
#: The looks of one sort that a stack asks for; each may be taken in a thread of its own.
Inspection = Callable[[Stack], Iterator[Look]]


def results(resource: str, *found: Finding) -> Iterator[Result]:
    """The findings, or that there are none."""
    yield from found or [Fine(resource)]


#: What CloudFormation doesn't do: it repairs only what a new template or parameter changes.
BY_HAND = "put it back by hand, since a deploy that changes nothing doesn't repair it"
