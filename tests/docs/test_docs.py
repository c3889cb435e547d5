"""The documents: every link leads somewhere, every file they name exists, and the lists that the code has, too, are full."""
from __future__ import annotations

import itertools
import re
from functools import lru_cache
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
README_LINES = 150

DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "events/*.md", ".github/**/*.md") for path in ROOT.glob(pattern))

#: A path that starts with one of these is a path of the repository.
FOLDERS = (".cargo", ".ci", ".github", "docs", "events", "functions", "operations", "requirements", "shared", "tests")
#: A name with one of these endings, without a folder, is the name of some file of the repository.
ENDINGS = (".rs", ".py", ".toml", ".md")
#: What a build or an install leaves in the working tree.
MADE = {"target", ".venv", ".aws-sam", ".git", "node_modules", "__pycache__"}

FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
PATH = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w.{{}},*/-]*")
NAME = re.compile(rf"[\w-]+(?:{'|'.join(map(re.escape, ENDINGS))})")


def text_of(document: Path) -> str:
    return document.read_text("utf-8")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


# ---- Links ----

def links(text: str) -> Iterator[str]:
    """The targets of all links within the repository; what stands in code is no link."""
    prose = SPAN.sub("", FENCE.sub("", COMMENT.sub("", text)))
    return (target for target in LINK.findall(prose) if not re.match(r"[a-z]+:", target))


@lru_cache(maxsize=None)
def anchors(document: Path) -> frozenset[str]:
    """The fragments that a code host gives to the headings: a heading that comes again gets a number."""
    seen: dict[str, int] = {}
    found = set()
    for heading in HEADING.findall(FENCE.sub("", text_of(document))):
        slug = slug_of(heading)
        found.add(slug if slug not in seen else f"{slug}-{seen[slug]}")
        seen[slug] = seen.get(slug, 0) + 1
    return frozenset(found)


def slug_of(heading: str) -> str:
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def is_broken(document: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.is_relative_to(ROOT) or not target.exists():
        return True
    return bool(fragment) and target.suffix == ".md" and fragment not in anchors(target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    assert [link for link in links(text_of(document)) if is_broken(document, link)] == []


def reached() -> set[Path]:
    """The documents that one gets to from README, link by link."""
    found, left = {README}, [README]
    while left:
        document = left.pop()
        targets = {(document.parent / link.partition("#")[0]).resolve() for link in links(text_of(document))}
        new = {target for target in targets if target.suffix == ".md" and target.exists()} - found
        found |= new
        left += new
    return found


def test_every_page_of_docs_is_reached_from_readme() -> None:
    pages = {document for document in DOCUMENTS if "docs" in document.relative_to(ROOT).parts}
    assert sorted(map(name_of, pages - reached())) == []


# ---- Files that the text names ----

def words_of_code(text: str) -> Iterator[str]:
    """The words within backticks and fences."""
    code = itertools.chain((found.group() for found in FENCE.finditer(text)), SPAN.findall(FENCE.sub("", text)))
    return (word.strip("\"'(),;:") for piece in code for word in piece.split())


def alternatives(path: str) -> Iterator[str]:
    """`{a,b}` stands for each of its words, `{a}` for any name."""
    found = re.search(r"\{([^{}]*)\}", path)
    if found is None:
        yield path
        return
    words = found[1].split(",") if "," in found[1] else ["*"]
    for word in words:
        yield from alternatives(path[:found.start()] + word + path[found.end():])


@lru_cache(maxsize=None)
def file_names() -> frozenset[str]:
    return frozenset(
        path.name for top in ROOT.iterdir() if top.name not in MADE
        for path in ([top] if top.is_file() else top.rglob("*")) if not MADE & set(path.parts))


def is_missing(word: str) -> bool:
    if PATH.fullmatch(word):
        return not all(any(ROOT.glob(each.rstrip("/"))) for each in alternatives(word))
    return bool(NAME.fullmatch(word)) and word not in file_names()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_is_named_exists(document: Path) -> None:
    assert sorted({word for word in words_of_code(text_of(document)) if is_missing(word)}) == []


# ---- Lists that the code has, too ----

def section(template: str, name: str) -> str:
    return re.search(rf"^{name}:\n(.*?)(?=^\S|\Z)", template, re.MULTILINE | re.DOTALL)[1]


def entries_of_the_template(name: str) -> list[str]:
    return re.findall(r"^  (\w+):", section(text_of(ROOT / "template.yaml"), name), re.MULTILINE)


def codes(file: str) -> list[str]:
    """The stable codes of one of the enums that logs show: `Self::Variant => "code"`."""
    return re.findall(r'=> "([a-z_]+)",', text_of(ROOT / file))


@pytest.mark.parametrize("page, names", [
    ("docs/deploy.md", entries_of_the_template("Parameters")),
    ("docs/deploy.md", entries_of_the_template("Outputs")),
    ("docs/operate.md", codes("shared/webhooks/src/refusal.rs")),
    ("docs/operate.md", codes("shared/webhooks/src/reading/unreadable.rs")),
], ids=["parameters", "outputs", "refusals", "reasons of the quarantine"])
def test_a_page_names_all_that_there_are(page: str, names: list[str]) -> None:
    text = text_of(ROOT / page)
    assert len(names) > 3
    assert [name for name in names if f"`{name}`" not in text] == []


# ---- Providers ----

#: The fewest providers that a document names if it is about all of them.
FEWEST = 3
#: Documents about how things were, and those that name providers as examples.
MAY_LACK_PROVIDERS = re.compile(r"CHANGELOG\.md|docs/decisions/\d.*|docs/(adding-a-provider|local|read-records)\.md")


def providers() -> list[str]:
    """The names in `providers! { Veriff = "veriff", … }`, from which Rust makes `Provider::ALL`."""
    found = re.search(r"^providers! {$(.*?)^}$", text_of(ROOT / "shared/sessions/src/id.rs"), re.MULTILINE | re.DOTALL)
    return re.findall(r'^    (\w+) = "', found[1], re.MULTILINE)


def lacking(text: str) -> list[str]:
    """The providers that a text about all of them doesn't name."""
    lacking = [provider for provider in providers() if provider.lower() not in text.lower()]
    return lacking if len(providers()) - len(lacking) >= FEWEST else []


def heads(text: str) -> Iterator[str]:
    """Of each table, the first row and the first column."""
    for table in re.findall(r"(?:^ *\|.*\n)+", text, re.MULTILINE):
        first, *others = table.splitlines()
        yield first
        yield "\n".join(row.split("|")[1] for row in others)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_about_all_providers_names_each(document: Path) -> None:
    if not MAY_LACK_PROVIDERS.fullmatch(name_of(document)):
        text = text_of(document)
        assert [missed for part in (text, *heads(text)) for missed in lacking(part)] == []


def test_each_provider_has_a_page() -> None:
    pages = {page.stem for page in (ROOT / "docs/providers").glob("*.md")} - {"README"}
    assert pages == {provider.lower() for provider in providers()}


# ---- README ----

def test_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= README_LINES
