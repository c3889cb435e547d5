"""Packs the functions for a release: a zip for each, a bill of materials, and the digests of all of these.

The same commit makes the same bytes, with the same compiler and tools: the zips hold no times, and the binaries no paths.
"""
from __future__ import annotations

import hashlib
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Iterator, Mapping, Optional

import click

from . import bill_of_materials, template
from .aws import Aws
from .check import TARGETS, refuse_unbuildable
from .deploy import build, version
from .places import BOOTSTRAP, BUILD, PACKAGE, ROOT
from .problem import Problem

SUMS = "SHA256SUMS"
BILL = "sbom.cdx.json"
#: The first time that a zip can hold; the time of no file.
NO_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o100755 << 16
UNIX = 3


def package(processor: str, into: Path) -> list[Path]:
    """Builds and packs the functions for a processor. Returns the files."""
    refuse_unbuildable(processor)
    build(Aws.connect("http://127.0.0.1"), processor)
    binaries = built(BUILD)
    refuse_paths(binaries, places(os.environ))
    return packed(binaries, processor, into)


def packed(binaries: Mapping[str, Path], processor: str, into: Path) -> list[Path]:
    """Writes the zips, the bill of materials, and the digests."""
    into.mkdir(parents=True, exist_ok=True)
    for old in into.iterdir():
        old.unlink()
    files = [zipped(binary, into / f"{name}.zip") for name, binary in sorted(binaries.items())]
    digests = {name: digest(binary) for name, binary in binaries.items()}
    bill = bill_of_materials.of(digests, TARGETS[processor], commit())
    (into / BILL).write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", "utf-8")
    files.append(into / BILL)
    (into / SUMS).write_text("".join(f"{digest(file)}  {file.name}\n" for file in files), "ascii")
    return [*files, into / SUMS]


def built(directory: Path) -> dict[str, Path]:
    """The functions' binaries by name, as `sam build` left them."""
    resources = template.load()["Resources"]
    functions = {logical_id: one["Metadata"]["BuildProperties"]["Binary"] for logical_id, one in resources.items()
                 if one["Type"] == "AWS::Serverless::Function"}
    return {name: directory / logical_id / BOOTSTRAP for logical_id, name in functions.items()}


def zipped(binary: Path, into: Path) -> Path:
    """A zip with nothing in it but the binary, as Lambda takes it."""
    entry = zipfile.ZipInfo(BOOTSTRAP, NO_TIME)
    entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, EXECUTABLE, UNIX
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(entry, binary.read_bytes(), compresslevel=9)
    return into


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def commit() -> bill_of_materials.Commit:
    """The name and the time of what is packed, by git."""
    asked = subprocess.run(["git", "log", "-1", "--format=%cI"], cwd=ROOT, capture_output=True, text=True)
    named = version()
    return bill_of_materials.Commit(named[0].partition("=")[2] if named else "unknown", asked.stdout.strip() or None)


# ---- Paths ----

def places(variables: Mapping[str, str]) -> list[Path]:
    """The folders of this machine that a binary could show."""
    home = Path(variables.get("HOME") or Path.home())
    cargo = Path(variables.get("CARGO_HOME") or home / ".cargo")
    rustup = Path(variables.get("RUSTUP_HOME") or home / ".rustup")
    found = {path for place in (ROOT, home, cargo, rustup) for path in (place, place.resolve())}
    return sorted(path for path in found if len(path.parts) > 1)


def refuse_paths(binaries: Mapping[str, Path], forbidden: list[Path]) -> None:
    """Ends the command if a binary shows a folder of this machine."""
    shown = [f"{name} shows the path {path}" for name, binary in sorted(binaries.items())
             for path in paths_in(binary.read_bytes(), forbidden)]
    if shown:
        raise Problem("\n".join([*shown, "`cargo clean --release` and try again, without RUSTC_WRAPPER: "
                                         ".cargo/without-paths has to run for each crate"]))


def paths_in(content: bytes, forbidden: list[Path]) -> Iterator[Path]:
    return (path for path in forbidden if os.fsencode(f"{path}/") in content)


# ---- The command ----

@click.command("package", short_help="Pack the functions for a release.")
@click.option("--architecture", envvar="ARCHITECTURE", type=click.Choice([*TARGETS]), metavar="PROCESSOR",
              help="The processor that Lambda runs the functions on; without, the template's own.")
def package_command(architecture: Optional[str]) -> None:
    """Pack the functions for a release: zips, a bill of materials, and SHA256SUMS."""
    processor = architecture or str(template.load()["Parameters"]["Architecture"]["Default"])
    for file in package(processor, PACKAGE / processor):
        click.echo(f"{file.stat().st_size:>9}  {file.relative_to(ROOT)}")
