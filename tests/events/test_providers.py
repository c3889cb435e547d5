"""One list of providers in Python, equal to Rust's, and nothing that each provider has is missing for one of them."""
import ast
import re
from pathlib import Path

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
