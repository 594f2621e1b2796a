"""Names of `policy/aws_actions.py` and the code behind them; a test holds the two together."""

from collections.abc import Callable, Mapping
from typing import Any

from incident_squad.adapters.aws_actions import (
    aurora,
    cognito,
    ecs,
    functions,
    iam_keys,
    iam_sessions,
    quarantine,
    rds_storage,
    waf_ip_set,
    waf_rate_limit,
)
from incident_squad.adapters.aws_actions.place import Deed, Place

Reading = Callable[[Place, Mapping[str, Any]], bool | int | str]

DEEDS: Mapping[str, Deed] = {
    "waf_block_ip": waf_ip_set.BlockIp(),
    "waf_rate_limit": waf_rate_limit.RateLimit(),
    "cognito_reset_passwords": cognito.ResetPasswords(),
    "cognito_sign_out": cognito.SignOut(),
    "iam_deactivate_key": iam_keys.DeactivateKey(),
    "iam_revoke_sessions": iam_sessions.RevokeSessions(),
    "ecs_rollback": ecs.RollBack(),
    "lambda_rollback": functions.RollBack(),
    "lambda_concurrency": functions.Concurrency(),
    "aurora_failover": aurora.FailOver(),
    "security_group_quarantine": quarantine.Isolate(),
    "rds_grow_storage": rds_storage.GrowStorage(),
}

READINGS: Mapping[str, Reading] = {
    "waf_blocked": waf_ip_set.blocked,
    "waf_requests_allowed": waf_rate_limit.requests_allowed,
    "cognito_accounts": cognito.affected,
    "cognito_accounts_to_reset": cognito.to_reset,
    "iam_key_active": iam_keys.key_active,
    "iam_sessions_revoked": iam_sessions.sessions_revoked,
    "ecs_steady": ecs.steady,
    "lambda_version": functions.version,
    "lambda_limit": functions.limit,
    "aurora_writer_is": aurora.writer_is,
    "aurora_available": aurora.available,
    "instance_quarantined": quarantine.quarantined,
    "rds_storage_growing": rds_storage.growing,
}
