"""The synthesised stack, made once for each state of its sources and kept in `.squad/assembly`.

Run as `python -m infra.local.assembly OUT` it synthesises: in a process of its own, because the
CDK's JavaScript side takes half a gigabyte that `squad up` need not keep.
"""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.environment import minimal_environment
from infra.local.errors import NodeUnusable, SynthesisFailed

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".squad" / "assembly"
STAGE = "local"
OLDEST_NODE = 20
SYNTHESIS_SECONDS = 300
KEPT = 4
ERROR_LINES = 15

# What makes the stack. Runbooks are read from disk on a laptop, so they don't count; the
# catalogue does, because roles name its secrets.
SOURCES = ("infra", "functions", "layers/shared", "layers/dependencies", "runbooks/catalog.yaml")
# What lies in them and has no part in it.
APART = ("infra/local", "infra/commands", "infra/decisions", "infra/cli.py", "infra/client.py",
         "layers/dependencies/build")  # fmt: skip

Progress = Callable[[str], None]


def assembly(progress: Progress, cache: Path = CACHE) -> Path:
    """The folder of the cloud assembly of the sources as they stand.

    Takes milliseconds when it is there, seconds and Node.js when it is not. Raises NodeUnusable
    or SynthesisFailed.
    """
    wanted = cache / fingerprint(REPOSITORY)
    if (wanted / "manifest.json").exists():
        os.utime(wanted)
        return wanted
    check_node()
    progress("Building the stack's template (once for each change of its sources) ...")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="new-") as folder:
        made = Path(folder) / "cdk.out"
        _synthesise_apart(made, Path(folder))
        _move(made, wanted)
    _forget_old(cache)
    return wanted


def fingerprint(root: Path) -> str:
    """A hash over everything that the template and its assets are made of."""
    digest = hashlib.sha256(importlib.metadata.version("aws-cdk-lib").encode())
    for file in sorted(_source_files(root)):
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:24]


def check_node() -> None:
    """Raises NodeUnusable unless a Node.js that the CDK can use is on the PATH."""
    advice = (
        f"Building the stack's template needs Node.js {OLDEST_NODE} or newer"
        " (https://nodejs.org, or your package manager)"
    )
    node = shutil.which("node")
    if node is None:
        raise NodeUnusable(f"{advice}; there is no `node` on the PATH.")
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)  # noqa: PLW1510 - an empty answer is handled
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeUnusable(f"{advice}; {node} does not run: {error}") from error
    found = re.match(r"v(\d+)\.", said.stdout)
    if found is None or int(found[1]) < OLDEST_NODE:
        raise NodeUnusable(f"{advice}; {node} is {said.stdout.strip() or 'no Node.js'}.")


def _source_files(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        if (root / source).is_file():
            yield root / source
        for folder, names, files in os.walk(root / source):
            here = Path(folder)
            names[:] = [name for name in names if _counts(here / name, root)]
            yield from (here / name for name in files if _counts(here / name, root))


def _counts(path: Path, root: Path) -> bool:
    generated = path.name == "__pycache__" or path.suffix == ".pyc"
    return not generated and str(path.relative_to(root)) not in APART


def _synthesise_apart(out: Path, temporary: Path) -> None:
    path = minimal_environment({"PYTHONUNBUFFERED": "1"}, temporary=temporary)
    try:
        done = subprocess.run(  # noqa: PLW1510 - the exit code is looked at below
            [sys.executable, "-m", "infra.local.assembly", str(out)],
            cwd=REPOSITORY, env=path, capture_output=True, text=True, timeout=SYNTHESIS_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise SynthesisFailed(f"cdk synth took over {SYNTHESIS_SECONDS} s") from error
    if done.returncode:
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-ERROR_LINES:])
        raise SynthesisFailed(f"The stack's template could not be built:\n  {said}")


def _move(made: Path, wanted: Path) -> None:
    try:
        made.rename(wanted)
    except OSError:
        if not (wanted / "manifest.json").exists():  # somebody else made it meanwhile
            raise


def _forget_old(cache: Path) -> None:
    made = [folder for folder in cache.iterdir() if (folder / "manifest.json").exists()]
    for folder in sorted(made, key=lambda found: found.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _synthesise(out: Path) -> None:
    from infra.app import synthesise  # noqa: PLC0415 - a second and Node.js, only in this process

    synthesise(out, stage=STAGE)


if __name__ == "__main__":
    _synthesise(Path(sys.argv[1]))
