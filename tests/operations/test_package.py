"""What a release consists of: the same bytes from the same commit, with nothing of the machine that made them."""
from __future__ import annotations

import json
import os
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from verdict import bill_of_materials, package
from verdict.bill_of_materials import Commit
from verdict.places import BUILD, ROOT, TOOLS
from verdict.problem import Problem

TARGET = "x86_64-unknown-linux-gnu"
COMMIT = Commit("v1.2.3", "2026-06-13T00:40:00+00:00")
WITHOUT_PATHS = ROOT / ".cargo/without-paths"


@pytest.fixture(scope="module")
def bill():
    """The bill of all functions, with made-up digests."""
    return bill_of_materials.of({name: f"{number:064x}" for number, name in enumerate(package.built(BUILD))}, TARGET, COMMIT)


@pytest.fixture
def binaries(tmp_path):
    """The functions, as far as it matters here."""
    found = {}
    for name in package.built(BUILD):
        found[name] = tmp_path / name / "bootstrap"
        found[name].parent.mkdir()
        found[name].write_bytes(b"\x7fELF" + name.encode() * 100)
    return found


def packed(binaries, into: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in package.packed(binaries, "x86_64", into)}


def test_the_same_functions_make_the_same_bytes_whenever_and_by_whomever(binaries, tmp_path):
    first = packed(binaries, tmp_path / "first")
    for binary in binaries.values():
        binary.chmod(0o600)
        os.utime(binary, (0, 0))
    assert packed(dict(reversed(binaries.items())), tmp_path / "second") == first
    assert sorted(first) == sorted([*(f"{name}.zip" for name in binaries), "SHA256SUMS", "sbom.cdx.json"])


def test_what_was_packed_before_goes(binaries, tmp_path):
    (tmp_path / "into").mkdir()
    (tmp_path / "into/old.zip").write_text("old")
    assert sorted(packed(binaries, tmp_path / "into")) == sorted(each.name for each in (tmp_path / "into").iterdir())


def test_a_zip_holds_the_binary_alone_as_lambda_starts_it(binaries, tmp_path):
    packed(binaries, tmp_path / "into")
    for name, binary in binaries.items():
        with zipfile.ZipFile(tmp_path / "into" / f"{name}.zip") as archive:
            [entry] = archive.infolist()
            assert (entry.filename, entry.date_time) == ("bootstrap", (1980, 1, 1, 0, 0, 0))
            assert entry.external_attr >> 16 == 0o100755
            assert archive.read(entry) == binary.read_bytes()


def test_the_sums_are_those_of_sha256sum_and_cover_every_file(binaries, tmp_path):
    into = tmp_path / "into"
    files = packed(binaries, into)
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=into, capture_output=True, text=True)
    assert checked.returncode == 0 and len(checked.stdout.splitlines()) == len(files) - 1


# ---- The bill of materials ----

def test_the_bill_names_every_function_and_every_crate_with_its_digest_and_licence(bill):
    components = {each["bom-ref"]: each for each in bill["components"]}
    assert len(components) == len(bill["components"]) > 100
    functions = {each["name"] for each in components.values() if each["type"] == "application"}
    assert functions == {*package.built(BUILD)}
    locked = bill_of_materials.locked()
    for ref, each in components.items():
        if ref == "rust":
            continue
        assert each["licenses"][0]["expression"], ref
        if ref.startswith("pkg:cargo/"):
            assert each["purl"] == ref
            assert each["hashes"] == [{"alg": "SHA-256", "content": locked[each["name"], each["version"]]}]
    names = {each["name"] for each in components.values()}
    assert {"ring", "rustls", "hyper", "aws-sdk-dynamodb", "verdict-webhooks"} <= names


def test_what_is_only_for_tests_or_for_compiling_is_no_material(bill):
    names = {each["name"] for each in bill["components"]}
    assert not names & {"proptest", "dynoxide-rs", "verdict-simulation", "verdict-check", "serde_derive", "syn", "cc"}


def test_every_function_depends_on_what_it_is_linked_with(bill):
    dependencies = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    refs = {each["bom-ref"] for each in bill["components"]} | {"verdict"}
    assert {*dependencies} == refs and {ref for each in dependencies.values() for ref in each} <= refs

    def reached(ref, found):
        for each in dependencies[ref]:
            if each not in found:
                found.add(each)
                reached(each, found)
        return found

    assert reached("verdict", set()) == refs - {"verdict", "rust"}
    assert "verdict:verdict-webhooks@0.1.0" in dependencies["verdict:veriff-events@0.1.0"]


def test_the_bill_tells_nothing_of_the_machine_and_the_same_commit_has_the_same(bill):
    text = json.dumps(bill)
    assert not [path for path in package.places(os.environ) if str(path) in text]
    digests = {each["name"]: each["hashes"][0]["content"] for each in bill["components"] if each["type"] == "application"}
    assert bill_of_materials.of(digests, TARGET, COMMIT) == bill
    assert bill["metadata"]["timestamp"] == COMMIT.time
    other = bill_of_materials.of(digests, TARGET, Commit("v1.2.4", COMMIT.time))
    assert other["serialNumber"] != bill["serialNumber"]


@pytest.mark.parametrize("printed", ["no depth", "0\tname", "0\tname 1.0\tMIT", "x\tname v1.0\tMIT"])
def test_what_cargo_may_print_some_day_is_not_guessed(printed):
    with pytest.raises(Problem, match="isn't understood"):
        bill_of_materials.linked(printed, {})


def test_a_function_that_cargo_does_not_build_is_told():
    with pytest.raises(Problem, match="doesn't know lost"):
        bill_of_materials.linked("0\tname v1.0.0 (/x)\tMIT", {"lost": ""})


# ---- Paths ----

def test_a_binary_that_shows_a_folder_of_this_machine_is_refused(binaries, tmp_path):
    forbidden = package.places({"HOME": "/home/builder", "CARGO_HOME": "/opt/cargo"})
    package.refuse_paths(binaries, forbidden)
    for path in ("/home/builder/.rustup/x", "/opt/cargo/registry/src/x/lib.rs", f"{ROOT}/shared/x.rs"):
        binaries["replay"].write_bytes(b"\0panicked at " + path.encode() + b"\0")
        with pytest.raises(Problem, match="replay shows the path /"):
            package.refuse_paths(binaries, forbidden)
    binaries["replay"].write_bytes(b"/crates/x/lib.rs /verdict/x.rs /rustc/0a1b/library /home/buildersmate/x")
    package.refuse_paths(binaries, forbidden)


def arguments(tmp_path: Path, *given: str) -> list[str]:
    """What rustc gets of some arguments."""
    (tmp_path / "registry/src/index-1").mkdir(parents=True, exist_ok=True)
    run = subprocess.run([WITHOUT_PATHS, "/bin/echo", *given], capture_output=True, text=True, check=True,
                         env={"PATH": os.environ["PATH"], "CARGO_HOME": str(tmp_path)})
    return run.stdout.split()


def test_release_builds_are_made_without_paths(tmp_path):
    given = ["--crate-name", "x", "-C", "strip=symbols", "src/lib.rs"]
    got = arguments(tmp_path, *given)
    assert got[:len(given)] == given
    assert got[len(given):] == [f"--remap-path-prefix={ROOT}=/verdict",
                                f"--remap-path-prefix={tmp_path}/registry/src/index-1=/crates",
                                f"--remap-path-prefix={tmp_path}/git/checkouts=/crates"]


def test_other_builds_are_made_as_cargo_has_it(tmp_path):
    given = ["--crate-name", "x", "-C", "debuginfo=2", "--cfg", "strip", "src/lib.rs"]
    assert arguments(tmp_path, *given) == given


def test_the_profile_for_releases_strips_and_cargo_runs_the_script():
    profile = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]["release"]
    config = tomllib.loads((ROOT / ".cargo/config.toml").read_text())
    assert profile["strip"] == "symbols" and ROOT / config["build"]["rustc-wrapper"] == WITHOUT_PATHS


# ---- Versions ----

def test_functions_are_built_with_the_versions_in_the_lock_or_not_at_all(tmp_path):
    """By cargo-lambda's own settings, so that it holds for `sam build`, too, which can't hand on `--locked`."""
    ours = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["metadata"]["lambda"]["build"]
    assert ours == {"locked": True}
    manifest = tmp_path / "Cargo.toml"
    manifest.write_text('[workspace]\nmembers = ["x"]\nresolver = "3"\n[workspace.metadata.lambda.build]\nlocked = true\n')
    (tmp_path / "x/src").mkdir(parents=True)
    (tmp_path / "x/src/main.rs").write_text("fn main() {}\n")
    (tmp_path / "x/Cargo.toml").write_text('[package]\nname = "x"\nversion = "0.1.0"\nedition = "2024"\n')
    subprocess.run(["cargo", "generate-lockfile", "--offline"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "x/Cargo.toml").write_text('[package]\nname = "x"\nversion = "0.2.0"\nedition = "2024"\n')
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    built = subprocess.run(["cargo", "lambda", "build", "--release", "--bin", "x"], cwd=tmp_path, env=environment,
                           capture_output=True, text=True)
    assert built.returncode and "--locked" in built.stderr
    assert 'version = "0.1.0"' in (tmp_path / "Cargo.lock").read_text()
