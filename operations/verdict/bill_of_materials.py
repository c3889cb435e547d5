"""The bill of materials of a release, in CycloneDX's JSON: each function, and all crates that are linked into it.

cargo says which crates those are, as it builds the functions, and Cargo.lock has their digests. Nothing is asked of a
registry, and nothing in it depends on the machine or the hour: the same commit makes the same text.
"""
from __future__ import annotations

import re
import subprocess
import tomllib
import urllib.parse
import uuid
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Optional

from .places import ROOT
from .problem import Problem

SPECIFICATION = "1.6"
#: What is linked for a target, with its depth before it. Without names, cargo takes what `cargo lambda build` takes.
TREE = ("cargo", "tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "\t{p}\t{l}")
NODE = re.compile(r"(\d+)\t(\S+) v(\S+)([^\t]*)\t([^\t]*?)(?: \(\*\))?")
#: The old way of writing a choice of licences.
OR = re.compile(r"\s*/\s*")
#: What cargo puts behind the name of a crate of a folder, rather than of a registry.
OF_A_FOLDER = " (/"


@dataclass(frozen=True)
class Commit:
    """What is packed: how git names it, and when it was made."""

    version: str
    time: Optional[str]


@dataclass
class Crate:
    """A crate, and those that it is linked with."""

    name: str
    version: str
    licence: str
    is_ours: bool
    links: set[str] = field(default_factory=set)

    @property
    def ref(self) -> str:
        """The package URL, which for a crate of this repository is only its name."""
        path = f"{urllib.parse.quote(self.name)}@{urllib.parse.quote(self.version)}"
        return f"verdict:{path}" if self.is_ours else f"pkg:cargo/{path}"


def of(digests: Mapping[str, str], target: str, commit: Commit) -> dict[str, Any]:
    """The bill of some functions, of whose binaries these are the digests."""
    crates = linked(tree(target), digests)
    checksums = locked()
    components = [component(each, digests, checksums) for _, each in sorted(crates.items())]
    compiler = {"bom-ref": "rust", "type": "platform", "name": "rust", "version": rust()}
    about = {"bom-ref": "verdict", "type": "application", "name": "verdict", "version": commit.version,
             "licenses": [{"license": {"id": "MIT"}}], "properties": [{"name": "verdict:target", "value": target}]}
    functions = sorted(each.ref for each in crates.values() if each.name in digests)
    dependencies = [{"ref": "verdict", "dependsOn": functions}, {"ref": "rust"},
                    *({"ref": each.ref, "dependsOn": sorted(each.links)} for _, each in sorted(crates.items()))]
    named = uuid.uuid5(uuid.NAMESPACE_URL, repr((about, sorted(digests.items()), components)))
    metadata = {**({"timestamp": commit.time} if commit.time else {}), "component": about}
    return {"bomFormat": "CycloneDX", "specVersion": SPECIFICATION, "serialNumber": f"urn:uuid:{named}", "version": 1,
            "metadata": metadata, "components": [*components, compiler], "dependencies": dependencies}


def component(crate: Crate, digests: Mapping[str, str], checksums: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    sha256 = digests.get(crate.name) or checksums.get((crate.name, crate.version))
    return {
        "bom-ref": crate.ref, "type": "application" if crate.name in digests else "library",
        "name": crate.name, "version": crate.version,
        **({"hashes": [{"alg": "SHA-256", "content": sha256}]} if sha256 else {}),
        **({"licenses": [{"expression": crate.licence}]} if crate.licence else {}),
        **({} if crate.is_ours else {"purl": crate.ref})}


# ---- What cargo knows ----

def tree(target: str) -> str:
    asked = subprocess.run([*TREE, "--target", target], cwd=ROOT, capture_output=True, text=True)
    if asked.returncode:
        raise Problem(f"`cargo tree` failed: {asked.stderr.strip()}")
    return asked.stdout


def linked(printed: str, functions: Mapping[str, str]) -> dict[str, Crate]:
    """The crates that the functions are made of, by reference."""
    crates: dict[str, Crate] = {}
    above: list[Crate] = []
    for depth, crate in nodes(printed):
        crate = crates.setdefault(crate.ref, crate)
        del above[depth:]
        if above:
            above[-1].links.add(crate.ref)
        above.append(crate)
    missing = {*functions} - {each.name for each in crates.values()}
    if missing:
        raise Problem(f"`cargo tree` doesn't know {', '.join(sorted(missing))}")
    wanted = [ref for ref, each in crates.items() if each.name in functions]
    found: set[str] = set()
    while wanted:
        ref = wanted.pop()
        if ref not in found:
            found.add(ref)
            wanted += crates[ref].links
    return {ref: crates[ref] for ref in found}


def nodes(printed: str) -> Iterator[tuple[int, Crate]]:
    """Each line, with how deep it is."""
    for line in filter(None, printed.splitlines()):
        node = NODE.fullmatch(line)
        if node is None:
            raise Problem("`cargo tree` prints something that isn't understood")
        depth, name, version, more, licence = node.groups()
        yield int(depth), Crate(name, version, OR.sub(" OR ", licence), more.startswith(OF_A_FOLDER))


def locked() -> dict[tuple[str, str], str]:
    """The digests of the crates' archives, by name and version."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))
    return {(each["name"], each["version"]): each["checksum"] for each in lock["package"] if "checksum" in each}


def rust() -> str:
    """The compiler's version."""
    asked = subprocess.run(["rustc", "--version"], cwd=ROOT, capture_output=True, text=True)
    return asked.stdout.split()[1] if asked.returncode == 0 else "unknown"
