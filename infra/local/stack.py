"""The whole squad on a laptop: `with LocalStack.start(...) as stack:`."""

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from infra.environment import variable
from infra.functions import FUNCTIONS
from infra.local.assembly import assembly
from infra.local.clients import Clients
from infra.local.config import LocalConfig
from infra.local.data_directory import DataDirectory
from infra.local.deploy import Deployed, deploy
from infra.local.differences import Difference
from infra.local.emulator_process import EmulatorProcess
from infra.local.errors import DeployFailed
from infra.local.gateway import Gateway
from infra.local.inbox import Inbox
from infra.local.model_access import model_access

OVERLAY = "catalog-overlay.yaml"
SNAPSHOT_SECONDS = 10.0
WARMED_AT_A_TIME = max(1, min(4, (os.cpu_count() or 1) // 2))
"""Half of the processors: what is asked for meanwhile has the others."""
ON_THE_WAY = frozenset({"intake", "incidents", "decide_approval", "deliver_messages"})
"""Functions that every alert needs, besides the states of the workflow."""

API_URL = re.compile(r"https://(?P<api>\w+)\.execute-api\.[^/]+/(?P<stage>[^/]+)/?$")
WEBHOOKS = "webhooks/"
TOKEN = "api-token"  # noqa: S105 - the name of a secret

Progress = Callable[[str], None]


def say(text: str) -> None:
    """Progress for people, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class LocalStack:
    """A running squad: emulator, deployed template, gateway and inbox.

    Attributes: `url` is where people and alerts go, `token` reads, `secrets` are the senders' by
    source, `endpoint_url` is for AWS clients, `inbox` has every notification, `differences` say
    what is not as on AWS.
    """

    name: str
    url: str
    endpoint_url: str
    token: str
    secrets: Mapping[str, str]
    clients: Clients
    inbox: Inbox
    differences: tuple[Difference, ...]

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        data: Path | None = None,
        config: LocalConfig | None = None,
        progress: Progress = say,
        build: Callable[[Progress], Path] = assembly,
    ) -> Self:
        """Start everything; port 0 takes a free one, without `data` nothing is kept.

        `build` gives the folder of the cloud assembly to deploy. Raises a LocalStackError that
        says what to do; then nothing is left running.
        """
        stack = cls(config or LocalConfig(), progress)
        try:
            stack._start(port, data, build)
        except BaseException:
            stack.stop()
            raise
        return stack

    def __init__(self, config: LocalConfig, progress: Progress) -> None:
        """Use `start`."""
        self._config, self._progress = config, progress
        self._model = model_access(config, variable)
        self._parts = ExitStack()
        self._stopped = False

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Stop everything that was started, the last first; the state is saved if it is kept."""
        self._stopped = True
        self._parts.close()

    def check(self) -> None:
        """Raises EmulatorDied when the stack no longer works."""
        self._emulator.check()

    def warm(self) -> None:
        """Start the functions on an alert's way before their first call.

        It takes seconds, in which alerts may come. What fails here says so at its first call.
        """
        names = (row.name for row in FUNCTIONS if row.state or row.name in ON_THE_WAY)
        with ThreadPoolExecutor(WARMED_AT_A_TIME) as pool:
            list(pool.map(self._start_environment, names))

    def _start_environment(self, function: str) -> None:
        if self._stopped:
            return
        with suppress(BotoCoreError, ClientError):
            self.clients.functions.invoke(
                FunctionName=f"{self.name}-{function}", InvocationType="DryRun"
            )

    def sweep(self) -> None:
        """Take up what was broken off, however young: for a start, when no execution is alive."""
        trouble: object = None
        try:
            answer = self.clients.functions.invoke(
                FunctionName=f"{self.name}-sweep", Payload=b'{"now": true}'
            )
            if "FunctionError" in answer:
                trouble = answer["Payload"].read().decode()
        except (BotoCoreError, ClientError) as error:
            trouble = error
        if trouble:
            self._progress(f"The sweep failed, the next one is in a minute: {trouble}")

    def _start(self, port: int, data: Path | None, build: Callable[[Progress], Path]) -> None:
        gateway = self._parts.enter_context(Gateway(port))
        self.url = gateway.url
        self._data = self._parts.enter_context(DataDirectory(data))
        template = build(self._progress)
        self._start_emulator()
        deployed = deploy(template, self.clients, self._environment())
        self.name, self.differences = deployed.name, deployed.differences
        outputs = self._outputs()
        self._put_secrets()
        self._announce()
        self.inbox = Inbox(self.clients.sns, self.clients.sqs, outputs["TopicArn"])
        self._parts.callback(self.inbox.close)
        self._settle(deployed)
        gateway.open(_upstream(self.endpoint_url, outputs["ApiUrl"]))

    def _start_emulator(self) -> None:
        self._emulator = EmulatorProcess(
            self._data.path,
            port=self._data.about.emulator_port,
            keep_state=self._data.kept,
            environment=self._config.environment,
            lock=self._data.lock,
        )
        self._parts.callback(self._emulator.stop)
        self.endpoint_url = self._emulator.endpoint_url
        self.clients = Clients(self.endpoint_url)
        self._emulator.wait_ready()

    def _environment(self) -> dict[str, str]:
        told = {"SQUAD_RUNBOOKS": str(self._config.runbooks.resolve()), **self._model.environment}
        if self._config.catalog:
            overlay = self._data.path / OVERLAY
            overlay.write_text(yaml.safe_dump(self._config.catalog, sort_keys=False))
            told["SQUAD_CATALOG_OVERLAY"] = str(overlay)
        return told

    def _outputs(self) -> dict[str, str]:
        stack = self.clients.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        missing = {"ApiUrl", "TopicArn"} - set(outputs)
        if missing:
            raise DeployFailed(f"The stack {self.name} has no output {', '.join(missing)}.")
        return outputs

    def _put_secrets(self) -> None:
        chosen = {**self._data.about.secrets, **self._config.secrets, **self._model.secrets}
        for name, text in chosen.items():
            self._put_secret(f"{self.name}/{name}", text)
        self.token = chosen[TOKEN]
        webhooks = {name: text for name, text in chosen.items() if name.startswith(WEBHOOKS)}
        self.secrets = {name.removeprefix(WEBHOOKS): text for name, text in webhooks.items()}

    def _put_secret(self, name: str, text: str) -> None:
        vault = self.clients.secrets
        try:
            if vault.get_secret_value(SecretId=name)["SecretString"] != text:
                vault.put_secret_value(SecretId=name, SecretString=text)
        except vault.exceptions.ResourceNotFoundException:
            vault.create_secret(Name=name, SecretString=text)

    def _announce(self) -> None:
        self.clients.ssm.put_parameter(
            Name=f"/{self.name}/public-url", Value=self.url, Type="String", Overwrite=True
        )

    def _settle(self, deployed: Deployed) -> None:
        if self._data.kept and deployed.changed:
            self._wait_for_snapshot()
        if not self._data.fresh:
            self.sweep()

    def _wait_for_snapshot(self) -> None:
        """A stack must not be half on disk when the first alert comes."""
        complete = self._data.path / "state" / "complete"
        asked, deadline = time.time(), time.monotonic() + SNAPSHOT_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if complete.exists() and complete.stat().st_mtime > asked:
                return
            time.sleep(0.05)


def _upstream(endpoint_url: str, api_url: str) -> str:
    found = API_URL.match(api_url)
    if found is None:
        raise DeployFailed(f"The API has an unexpected address: {api_url}")
    return f"{endpoint_url}/_aws/execute-api/{found['api']}/{found['stage']}"
