"""`squad up`: the embedded stack, until somebody stops it."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import click

from infra.client import RUNNING
from infra.commands.console import progress, say
from infra.local.config import LocalConfig
from infra.local.practice import Practice
from infra.local.stack import LocalStack

CHECK_SECONDS = 1.0


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
              help="Where to serve; 0 takes a free one.")  # fmt: skip
@click.option("--data", type=click.Path(file_okay=False, path_type=Path),
              help="Keep the state in this folder; without it nothing is kept.")  # fmt: skip
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your catalogue, targets and credentials; without it practice targets are "
              "started: a throw-away PostgreSQL and a small payment service.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The ready line as JSON, with secrets.")
def up(port: int, data: Path | None, config: Path | None, as_json: bool) -> None:
    """Start the whole squad on this machine and serve it on loopback until Ctrl-C."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _stopper(stopped))
    with (
        local_config(config) as chosen,
        LocalStack.start(port=port, data=data, config=chosen, progress=say) as stack,
        _announced(stack),
    ):
        _ready(stack, as_json=as_json)
        threading.Thread(target=stack.warm, daemon=True).start()
        _serve(stack, stopped)


@contextmanager
def local_config(config: Path | None) -> Iterator[LocalConfig]:
    """The user's configuration, or that of practice targets, which live as long as this does."""
    if config is not None:
        yield LocalConfig.read(config)
        return
    with ExitStack() as parts:
        say("No --config: practice targets are started (a throw-away PostgreSQL, a small service)")
        yield parts.enter_context(Practice()).config()


def _ready(stack: LocalStack, *, as_json: bool) -> None:
    if as_json:
        line = {
            "url": stack.url,
            "token": stack.token,
            "endpoint_url": stack.endpoint_url,
            "secrets": dict(stack.secrets),
        }
        click.echo(json.dumps(line))
    else:
        click.echo(f"Ready: {stack.url} (token {stack.token}; AWS endpoint {stack.endpoint_url})")


def _serve(stack: LocalStack, stopped: threading.Event) -> None:
    """Show what people are sent, until the end; raises EmulatorDied if it comes by itself."""
    shown = 0
    while not stopped.wait(CHECK_SECONDS):
        stack.check()
        for message in stack.inbox.messages(shown):
            shown += 1
            text = f"-> {', '.join(message.recipients)}: {message.subject}"
            progress.print(text, markup=False, soft_wrap=True)
            if message.kind == "approval":
                progress.print(f"   decide at {message.link}", markup=False, soft_wrap=True)


@contextmanager
def _announced(stack: LocalStack) -> Iterator[None]:
    """Tell other terminals how to reach it; the file holds a token, so only the user reads it."""
    RUNNING.parent.mkdir(exist_ok=True)
    descriptor = os.open(RUNNING, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        found = {"url": stack.url, "token": stack.token, "pid": os.getpid()}
        json.dump({**found, "stack": stack.name, "endpoint_url": stack.endpoint_url}, file)
    try:
        yield
    finally:
        RUNNING.unlink(missing_ok=True)


def _stopper(stopped: threading.Event) -> Callable[[int, FrameType | None], None]:
    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    return stop
