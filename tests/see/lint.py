"""What the console's page must not hold, so that text which strangers wrote stays text: a lint over its three files.

It reads the text as it stands, comments included: what isn't there can't be turned on.
"""
from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Iterator, Optional

PAGE = Path(__file__).resolve().parents[2] / "operations/verdict/console/page"
FILES = ("index.html", "console.css", "console.js")

#: Elements that the script may make: none of them loads or runs anything.
ELEMENTS = frozenset(re.findall(r"\w+", """
    a article aside b bdi bdo br button caption code col colgroup datalist dd del details dialog div dl dt em fieldset
    figcaption figure footer form h1 h2 h3 h4 header i input ins kbd label legend li main mark menu meter nav ol optgroup
    option output p pre progress s samp section select small span strong sub summary sup table tbody td textarea tfoot th
    thead time tr u ul wbr
    circle clipPath defs desc ellipse g line path polygon polyline rect svg text title tspan
"""))
#: Attributes that load, and those that run a text.
LOADING = ("src", "href", "action", "formaction", "data", "poster", "srcset", "xlink:href", "ping", "background")
#: The only files that the page loads.
OWN = ("/console.css", "/console.js", "console.css", "console.js")
#: A name of a namespace, which nothing ever fetches.
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml")


@dataclass(frozen=True)
class Finding:
    """A place in a file, and why it must not be there."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}"


#: The first letters tell a handler from `once` and `only`.
HANDLERS = r"on(?:abort|before|blur|change|click|copy|drag|error|focus|input|key|load|message|mouse|pointer|submit)\w*"

#: In the script: what makes elements of text, runs text, or reaches further than the page.
SCRIPT = {
    "innerHTML and its kin make elements of text":
        r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b|\bsetHTML(Unsafe)?\b|\bparseHTML(Unsafe)?\b|\bgetHTML\b"
        r"|\bcreateContextualFragment\b|\bsrcdoc\b",
    "document.write makes elements of text": r"\bdocument\s*(\.|\?\.|\[)\s*['\"`]?write(ln)?\b",
    "a parser makes elements of text": r"\bDOMParser\b|\bXSLTProcessor\b|\bXMLHttpRequest\b",
    "eval and Function run text": r"\beval\b|\bFunction\s*\(|\bnew\s+Function\b|\bexecScript\b",
    "a timer with a text runs it": r"\bset(Timeout|Interval)\s*\(\s*['\"`]",
    "import() and workers run other files":
        r"\bimport\s*[\s('\"`{*]|\b(Shared)?Worker\b|\bserviceWorker\b|\bimportScripts\b",
    "a handler in an attribute or a property runs text": rf"['\"`]{HANDLERS}['\"`]|\.{HANDLERS}\s*=(?!=)",
    "javascript: runs text": r"javascript\s*:",
    "a link or a file whose address is put together":
        r"\.(?:src|href|action|formAction|srcset|data)\s*=(?!=)|\blocation\s*=(?!=)|\blocation\s*\.\s*(?:assign|replace)\b"
        r"|\bwindow\s*\.\s*open\b|\bopen\s*\(",
    "a style in text can cover the page": r"\bcssText\b|['\"`]style['\"`]",
    "nothing of a session stays in this browser": r"\bindexedDB\b|\bdocument\s*\.\s*cookie\b|\bcaches\b",
    "the page speaks to its own server alone": r"\bWebSocket\b|\bEventSource\b|\bsendBeacon\b|\bRTCPeerConnection\b",
    "a message can be from a stranger's page": r"\bpostMessage\b|\baddEventListener\s*\(\s*['\"`]message",
}
#: In the style sheet: what loads something.
STYLE = {
    "@import loads a file": r"@import\b",
    "url() loads a file": r"\burl\s*\(",
    "image-set() loads files": r"\bimage-set\s*\(",
    "a style can't run a script": r"\bexpression\s*\(|\bbehavior\s*:|javascript\s*:",
}
REMOTE = re.compile(r"(?:https?|wss?|ftp):\\?/\\?/[^\s'\"`)]*|['\"`(]\\?/\\?/[a-z0-9]", re.IGNORECASE)
CREATED = re.compile(r"\bcreateElement(?:NS)?\s*\(([^)]*)\)")
LITERAL = re.compile(r"['\"`]([\w-]+)['\"`]")
#: A function whose first argument is the name of the element that it makes.
MAKER = re.compile(r"^const (\w+) = \((\w+)\b[^)]*\) => .*\bcreateElement(?:NS)?\s*\((?:[^)]*,\s*)?\2\)")
#: The list of attributes that may be set by a name that isn't written where they are set.
LISTED = re.compile(r"\bATTRIBUTES = new Set\(`([^`]*)`")
SET = re.compile(r"\bsetAttribute(?:NS)?\s*\(\s*([^,]*),")
MEMBER = re.compile(r"\[[^\][]*['\"`]\s*\+\s*['\"`][^\][]*\]")


def findings(file: str, text: str) -> list[Finding]:
    """What is wrong with one of the page's files."""
    kind = Path(file).suffix
    found = {".html": document, ".css": style, ".js": script}[kind](file, text)
    return sorted({*found, *remote(file, text)}, key=lambda finding: (finding.line, finding.why))


def script(file: str, text: str) -> Iterator[Finding]:
    yield from matching(file, text, SCRIPT)
    yield from elements(file, text)
    for found in MEMBER.finditer(text):
        yield at(file, text, found, "a member whose name is put together hides what it is")
    for list_ in LISTED.finditer(text):
        for name in list_[1].split():
            if name in LOADING or name in ("style", "srcdoc") or name.startswith("on"):
                yield at(file, text, list_, f"the attribute {name} is on the list of those that may be set")
    for found in SET.finditer(text):
        if not LITERAL.fullmatch(found[1].strip()) and not LISTED.search(text):
            yield at(file, text, found, "an attribute whose name isn't written out, and no list of those that may be set")


def elements(file: str, text: str) -> Iterator[Finding]:
    """Elements that the page may not make, and those of which one can't tell."""
    lines = text.split("\n")
    makers = {found[1] for found in map(MAKER.match, lines) if found}
    for found in CREATED.finditer(text):
        if not MAKER.match(lines[text.count("\n", 0, found.start())]):
            yield from element(file, text, found, found[1].rpartition(",")[2])
    for maker in makers:
        for found in re.finditer(rf"(?<![\w.$]){re.escape(maker)}\(\s*([^,)]*)", text):
            yield from element(file, text, found, found[1])


def element(file: str, text: str, found: re.Match[str], name: str) -> Iterator[Finding]:
    literal = LITERAL.fullmatch(name.strip())
    if not literal:
        yield at(file, text, found, "an element whose name isn't written out")
    elif literal[1] not in ELEMENTS:
        yield at(file, text, found, f"the element {literal[1]} isn't one that the page may make")


def style(file: str, text: str) -> Iterator[Finding]:
    return matching(file, text, STYLE)


def remote(file: str, text: str) -> Iterator[Finding]:
    for found in REMOTE.finditer(text):
        if found[0] not in NAMESPACES:
            yield at(file, text, found, "an address elsewhere")


def matching(file: str, text: str, rules: dict[str, str]) -> Iterator[Finding]:
    for why, pattern in rules.items():
        for found in re.finditer(pattern, text):
            yield at(file, text, found, why)


def at(file: str, text: str, found: re.Match[str], why: str) -> Finding:
    return Finding(file, text.count("\n", 0, found.start()) + 1, why)


def document(file: str, text: str) -> list[Finding]:
    parser = Document(file)
    parser.feed(text)
    parser.close()
    return parser.found


class Document(HTMLParser):
    """Reads the page's one document."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.found: list[Finding] = []
        self._file = file
        self._inside = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, Optional[str]]]) -> None:
        self._inside = tag if tag == "script" else ""
        given = dict(attributes)
        if tag == "script" and "src" not in given:
            self._tell("a script within the document")
        if tag == "style":
            self._tell("a style sheet within the document")
        if tag in ("iframe", "frame", "object", "embed", "applet", "base", "template", "portal"):
            self._tell(f"the element {tag}")
        if "http-equiv" in given:
            self._tell("http-equiv: headers are the server's")
        for name, value in attributes:
            self._attribute(name, value or "")

    def _attribute(self, name: str, value: str) -> None:
        if name.startswith("on"):
            self._tell(f"a handler in the attribute {name}")
        if name in ("style", "srcdoc"):
            self._tell(f"the attribute {name}")
        if name in LOADING and not (value in OWN or value.startswith("#") or value == "data:,"):
            self._tell(f"{name} leads elsewhere")

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and data.strip():
            self._tell("a script within the document")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def _tell(self, why: str) -> None:
        self.found.append(Finding(self._file, self.getpos()[0], why))


def main() -> int:
    found = [finding for file in FILES for finding in findings(file, (PAGE / file).read_text("utf-8"))]
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
