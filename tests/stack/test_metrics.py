"""The function that queries metrics, as it is deployed."""

import json

import pytest

from infra.local.stack import LocalStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


def test_without_sources_the_deployed_function_says_so(local_stack: LocalStack) -> None:
    question = {"source": "prometheus", "query": "up last_15m"}
    answer = local_stack.clients.functions.invoke(
        FunctionName=f"{local_stack.name}-query_metrics",
        Payload=json.dumps({"question": question}).encode(),
    )
    assert not answer.get("FunctionError")
    result = json.loads(answer["Payload"].read())["result"]
    assert (result["status"], result["query"]) == ("not_configured", "up")
    assert "configures no prometheus" in result["message"]
