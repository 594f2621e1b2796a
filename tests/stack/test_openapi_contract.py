"""The embedded stack answers what its OpenAPI document promises, and never with a server error."""

import json
from collections import Counter
from typing import Any

import pytest
import schemathesis
import schemathesis.specs.openapi.schemas  # not later: Python 3.11 parses in one thread at a time
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.local.stack import LocalStack
from tests.stack.http import call

pytestmark = pytest.mark.stack

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 10


def test_every_answer_is_one_that_the_document_promises(local_stack: LocalStack) -> None:
    served = call(f"{local_stack.url}/openapi.json")
    assert served.status == 200
    schema = schemathesis.openapi.from_dict(json.loads(served.body))
    seen: Counter[str] = Counter()
    proofs = st.sampled_from([local_stack.token, local_stack.secrets["generic"], "wrong", ""])

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            deadline=None,
        )
        @given(case=operation.as_strategy(), proof=proofs)
        def ask(case: schemathesis.Case[Any], proof: str) -> None:
            headers = {"Authorization": f"Bearer {proof}"} if proof else {}
            answer = case.call(base_url=local_stack.url, headers=headers, timeout=20)
            seen[f"{answer.status_code // 100}xx"] += 1
            case.validate_response(answer, checks=CHECKS)

        ask()

    assert seen["2xx"] > 10
    assert seen["4xx"] > 20
