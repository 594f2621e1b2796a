"""The environment of a Lambda function, validated once; nothing else reads the environment."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.values import Value

PREFIX = "SQUAD_"


class Settings(Value):
    """What a function is told. `SQUAD_TABLE` fills `table`, and so on.

    `runbooks` is the folder of runbooks and the catalogue; `catalog_overlay` an extra catalogue
    file that is laid over it. `public_url_parameter` names the parameter that holds the address
    under which people reach the API. `secrets_prefix` stands before every secret's name.
    `alert_topics` are the ARNs of SNS topics whose alarms are believed, separated by commas.
    `function_prefix` stands before every function's name.
    `model` is `off`, `anthropic` (the key is a secret) or `bedrock` (in `model_region`).
    `transcripts` is the table of transcripts, kept for `transcript_days`; empty: none are kept.
    """

    table: str
    machine_arn: str = ""
    key_id: str = ""
    topic_arn: str = ""
    runbooks: Path = Path("/opt/runbooks")
    catalog_overlay: Path | None = None
    public_url_parameter: str = ""
    secrets_prefix: str = "squad/"
    alert_topics: str = ""
    function_prefix: str = ""
    model: Literal["off", "anthropic", "bedrock"] = "off"
    model_region: str = ""
    transcripts: str = ""
    transcript_days: int = Field(default=30, ge=1, le=3650)


def in_lambda() -> bool:
    """Whether this process is a Lambda function's."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; raises InvalidConfiguration naming what is wrong."""
    found = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() in Settings.model_fields
    }
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        names = ", ".join(PREFIX + str(e["loc"][0]).upper() for e in error.errors())
        raise InvalidConfiguration(f"check the environment variables {names}: {error}") from error
