"""Deploys the cloud assembly into the emulator: no CDK command line, no bootstrap stack."""

import hashlib
import io
import json
import py_compile
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local.clients import Clients
from infra.local.differences import Difference, Template, localise
from infra.local.errors import DeployFailed

ACCOUNT = "000000000000"
PARTITION = "aws"
BUCKET = "squad-local"
TAG = "squad:deployed"
DEPLOY_SECONDS = 120
# What `cdk bootstrap` leaves in an account, and every template asks for.
BOOTSTRAP = ("/cdk-bootstrap/hnb659fds/version", "30")
STACK_TYPE = "aws:cloudformation:stack"


@dataclass(frozen=True)
class Deployed:
    """A stack as it stands in the emulator. `changed` says whether this call changed it."""

    name: str
    changed: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class _Stack:
    name: str
    template: Template
    assets: Mapping[str, Path]


def deploy(assembly: Path, clients: Clients, environment: Mapping[str, str]) -> Deployed:
    """Create or update the assembly's one stack; returns when it stands.

    `environment` is laid over every function's variables. Raises DeployFailed, naming each
    resource that the emulator refused, or UnknownDifference.
    """
    stack = _read(assembly)
    local, differences = localise(stack.template, environment)
    body = json.dumps(local, sort_keys=True)
    fingerprint = hashlib.sha256(body.encode()).hexdigest()
    standing = _standing(clients, stack.name)
    changed = standing != fingerprint
    if changed:
        _upload(clients, stack, body, fingerprint)
        _apply(clients, stack.name, fingerprint, update=standing is not None)
    return Deployed(stack.name, changed, tuple(differences))


def _read(assembly: Path) -> _Stack:
    manifest = json.loads((assembly / "manifest.json").read_text())
    stacks = [(n, a) for n, a in manifest["artifacts"].items() if a["type"] == STACK_TYPE]
    if len(stacks) != 1:
        raise DeployFailed(f"{assembly} holds {len(stacks)} stacks, expected one")
    identity, artifact = stacks[0]
    properties = artifact["properties"]
    template = json.loads((assembly / properties["templateFile"]).read_text())
    files = json.loads((assembly / f"{identity}.assets.json").read_text())["files"]
    assets = {
        destination["objectKey"]: assembly / file["source"]["path"]
        for file in files.values()
        if file["source"]["packaging"] == "zip"
        for destination in file["destinations"].values()
    }
    return _Stack(properties.get("stackName", identity), template, assets)


def _standing(clients: Clients, name: str) -> str | None:
    """The fingerprint of what stands; empty when it is not whole, None when there is nothing."""
    try:
        stack = clients.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError:
        return None
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return ""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.get(TAG, "")


def _upload(clients: Clients, stack: _Stack, body: str, fingerprint: str) -> None:
    name, version = BOOTSTRAP
    clients.ssm.put_parameter(Name=name, Value=version, Type="String", Overwrite=True)
    buckets = set(_buckets(json.loads(body))) | {BUCKET}
    for bucket in buckets:
        clients.s3.create_bucket(Bucket=bucket)
    clients.s3.put_object(Bucket=BUCKET, Key=fingerprint, Body=body.encode())
    for key, folder in stack.assets.items():
        if key in body:
            packed = _zip(folder)
            for bucket in buckets - {BUCKET}:
                clients.s3.put_object(Bucket=bucket, Key=key, Body=packed)


def _buckets(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a template
    if isinstance(part, list):
        for item in part:
            yield from _buckets(item)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "S3Bucket":
                yield _text(value)
            else:
                yield from _buckets(value)


def _text(value: str | dict[str, str]) -> str:
    text = value if isinstance(value, str) else value["Fn::Sub"]
    here = {"AccountId": ACCOUNT, "Region": "us-east-1", "Partition": PARTITION}
    for name, found in here.items():
        text = text.replace(f"${{AWS::{name}}}", found)
    return text


def _zip(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(folder))
                if file.suffix == ".py":
                    _add_bytecode(archive, file, file.relative_to(folder))
    return packed.getvalue()


def _add_bytecode(archive: zipfile.ZipFile, file: Path, place: Path) -> None:
    """Each Lambda process unpacks its own copy: compiling it there would double a cold start."""
    with tempfile.NamedTemporaryFile(suffix=".pyc") as compiled:
        py_compile.compile(
            str(file),
            cfile=compiled.name,
            dfile=str(place),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        name = f"{place.stem}.{sys.implementation.cache_tag}.pyc"
        archive.write(compiled.name, place.parent / "__pycache__" / name)


def _apply(clients: Clients, name: str, fingerprint: str, *, update: bool) -> None:
    settings: dict[str, Any] = {
        "StackName": name,
        "TemplateURL": f"https://s3.us-east-1.amazonaws.com/{BUCKET}/{fingerprint}",
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Tags": [{"Key": TAG, "Value": fingerprint}],
    }
    act = clients.cloudformation
    try:
        if update:
            act.update_stack(**settings)
        else:
            act.create_stack(OnFailure="DO_NOTHING", **settings)
    except ClientError as error:
        raise DeployFailed(f"The emulator refused the stack {name}: {error}") from error
    _wait(clients, name)


def _wait(clients: Clients, name: str) -> None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    while time.monotonic() < deadline:
        stack = clients.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if not status.endswith("IN_PROGRESS"):
            raise DeployFailed(
                "\n  ".join([f"The stack {name} is {status}:", *_failures(clients, name)])
            )
        time.sleep(0.03)
    raise DeployFailed(f"The stack {name} was not ready in {DEPLOY_SECONDS} s")


def _failures(clients: Clients, name: str) -> list[str]:
    events = clients.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}):"
        f" {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if "FAILED" in event["ResourceStatus"]
    ]
