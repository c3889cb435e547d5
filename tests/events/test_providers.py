"""One list of providers in Python, equal to Rust's, and nothing that each provider has is missing for one of them."""
import ast
import re
from pathlib import Path
from typing import Any, Iterator

import pytest
import test_probes
import verifying
import webhooks

ROOT = Path(__file__).resolve().parents[2]
PROVIDERS = webhooks.PROVIDERS

each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def written_in_rust():
    """The names in `providers! { Veriff = "veriff", … }`, from which Rust makes `Provider::ALL`."""
    source = (ROOT / "shared/sessions/src/id.rs").read_text("utf-8")
    return tuple(re.findall(r'^    (?:\w+) = "(\w+)",$', re.search(r"(?ms)^providers! {$(.*?)^}$", source)[1], re.M))


def written_lists():
    """Every list in Python that is called `PROVIDERS` and written out, by file; in lower case."""
    for folder in ("events", "operations", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for statement in ast.parse(file.read_text("utf-8")).body:
                if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "PROVIDERS":
                    names = names_in(statement.value)
                    if names is not None:
                        yield pytest.param(names, id=str(file.relative_to(ROOT)))


def names_in(value):
    entries = {ast.Tuple: "elts", ast.List: "elts", ast.Set: "elts", ast.Dict: "keys"}.get(type(value))
    return entries and {entry.value.lower() for entry in getattr(value, entries)}


#: The fewest providers that make a table one of providers, and not one that happens to name some.
FEWEST = 3
#: By file: the providers that a table there may lack.
MAY_LACK: dict[str, set[str]] = {
    # Veriff has tests of its own beside those of the others.
    "tests/end_to_end/test_credentials.py": {"veriff"},
    "tests/end_to_end/test_forged_webhooks.py": {"veriff"},
    "tests/end_to_end/test_logs.py": {"veriff"},
    "tests/end_to_end/test_odd_events.py": {"veriff"},
    # Incode's events have no time: their order of arrival counts.
    "tests/end_to_end/test_order.py": {"incode"},
    # Treezor's URL is followed by what the operator adds.
    "tests/end_to_end/test_operations.py": {"treezor"},
    # Treezor's body is an envelope: without JSON it is refused.
    "tests/events/test_samples.py": {"treezor"},
    # Treezor's ids are numbers: they can't be a text of one's choice.
    "tests/see/hostile.py": {"treezor"},
    # A table of sessions that the tests make up.
    "tests/operations/test_rebuild.py": set(PROVIDERS),
}


def tables() -> Iterator[Any]:
    """Each table in Python whose entries or keys name several providers: the file, and the providers that it lacks."""
    for folder in ("events", "operations", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = str(file.relative_to(ROOT))
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                named = {provider_of(entry) for entry in entries_of(node)} - {None}
                if isinstance(node, ast.expr) and len(named) >= FEWEST:
                    yield pytest.param(path, set(PROVIDERS) - named, id=f"{path}:{node.lineno}")


def entries_of(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Dict):
        return [key for key in node.keys if key is not None]
    return node.elts if isinstance(node, (ast.List, ast.Set, ast.Tuple)) else []


def provider_of(entry: ast.expr) -> str | None:
    """The provider that an entry begins with: in a text, in a name such as `VERIFF`, or in the first part of a tuple."""
    if isinstance(entry, (ast.List, ast.Tuple)):
        return provider_of(entry.elts[0]) if entry.elts else None
    text = entry.id if isinstance(entry, ast.Name) else entry.value if isinstance(entry, ast.Constant) else None
    begins = str(text).lower().lstrip("/")
    return next((provider for provider in PROVIDERS if begins.startswith(provider)), None)


@pytest.mark.parametrize("file, lacking", list(tables()))
def test_a_table_that_names_several_providers_names_all(file, lacking):
    assert lacking <= MAY_LACK.get(file, set())


def test_the_providers_are_those_of_rust():
    assert PROVIDERS == written_in_rust()
    assert len(PROVIDERS) == len(set(PROVIDERS)) >= 4


@pytest.mark.parametrize("names", list(written_lists()))
def test_a_list_that_has_to_stand_elsewhere_is_the_same(names):
    assert names == set(PROVIDERS)


@each_provider
def test_a_provider_has_samples_scenarios_credentials_and_vectors(provider):
    assert any(sample.provider == provider for sample in webhooks.catalogue())
    assert any(scenario.provider == provider for scenario in webhooks.scenarios())
    assert webhooks.PROOFS[provider].accepts(webhooks.read_json(webhooks.LOCAL_CREDENTIALS)[provider])
    assert (ROOT / f"tests/vectors/{provider}.json").is_file()
    assert (ROOT / f"tests/vectors/make_{provider}.py").is_file()


@each_provider
def test_a_provider_has_a_fuzz_target(provider):
    manifest = (ROOT / "tests/fuzz/Cargo.toml").read_text("utf-8")
    target = f"fuzz_targets/{provider}.rs"
    assert f'[[bin]]\nname = "{provider}"\npath = "{target}"\n' in manifest
    assert (ROOT / "tests/fuzz" / target).is_file()
    sender = f"impl Sender for {provider.capitalize()} {{"
    assert sender in (ROOT / "tests/fuzz/src/provider.rs").read_text("utf-8")


@each_provider
def test_the_soak_has_a_route_for_a_provider(provider):
    assert f'("/{provider}' in (ROOT / "tests/soak/src/soak.rs").read_text("utf-8")


@each_provider
def test_a_provider_has_a_parameter_and_functions_in_the_template(provider):
    template = (ROOT / "template.yaml").read_text("utf-8")
    assert re.search(f"^  {provider.capitalize()}Credentials:$", template, re.M)
    assert f"{provider.upper()}_CREDENTIALS" in template
    assert all(path.startswith(f"/{provider}") for path in webhooks.PROOFS[provider].PATHS)
    assert any(re.fullmatch(path, webhooks.PROOFS[provider].PROBE_PATH) for path in webhooks.PROOFS[provider].PATHS)


def test_nothing_is_there_for_another():
    """What is not there for a provider fails in the tests above, or where it is looked up."""
    for table in (webhooks.read_json(webhooks.LOCAL_CREDENTIALS), verifying.LOCAL, test_probes.KEYS,
                  test_probes.ENTRIES, test_probes.PATHS):
        assert table.keys() == set(PROVIDERS)
    assert {path.stem for path in (ROOT / "tests/vectors").glob("*.json")} == set(PROVIDERS)
