"""What the squad can do and read in AWS: names, arguments, needs, and the rights that these take.

The adapters fill this table with code, the lint holds runbooks against it, and the roles of the
functions are made from it. `*` as the resource stands for calls that AWS gives no resource.
"""

from incident_squad.domain.values import Value


class Grant(Value):
    """IAM actions, and the field of `AwsTarget` whose resources they are for.

    `ecs_deployments` stands for the deployments of the service that `ecs` names.
    """

    actions: tuple[str, ...]
    on: str


class AwsReading(Value):
    """A look that changes nothing. `needs` are fields of the target that must be filled."""

    needs: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    looks: tuple[Grant, ...]


class AwsActionSpec(AwsReading):
    """An act. `undo` is the name that takes it back, or None when nothing can."""

    undo: str | None = None
    acts: tuple[Grant, ...]


_IP_SET = (Grant(actions=("wafv2:GetIPSet",), on="ip_set"),)
_RATE = (Grant(actions=("wafv2:GetRuleGroup",), on="rate_limit"),)
_ACCOUNTS = (
    Grant(actions=("logs:FilterLogEvents",), on="sign_in_log"),
    Grant(actions=("cognito-idp:AdminGetUser",), on="user_pool"),
)
_KEYS = (Grant(actions=("iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"), on="iam_users"),)
_SESSIONS = (Grant(actions=("iam:GetRolePolicy",), on="iam_roles"),)
_ECS = (
    Grant(actions=("ecs:DescribeServices", "ecs:ListServiceDeployments"), on="ecs"),
    Grant(actions=("ecs:ListTaskDefinitions",), on="*"),
)
_ALIAS = (Grant(actions=("lambda:GetAlias", "lambda:ListVersionsByFunction"), on="function"),)
_CONCURRENCY = (Grant(actions=("lambda:GetFunctionConcurrency",), on="function"),)
_CLUSTER = (Grant(actions=("rds:DescribeDBClusters",), on="db_cluster"),)
_INSTANCES = (Grant(actions=("ec2:DescribeInstances",), on="*"),)
_STORAGE = (Grant(actions=("rds:DescribeDBInstances",), on="db_instances"),)

ACTIONS: dict[str, AwsActionSpec] = {
    "waf_block_ip": AwsActionSpec(
        needs=("ip_set",),
        arguments=("ip",),
        undo="waf_unblock_ip",
        looks=_IP_SET,
        acts=(Grant(actions=("wafv2:UpdateIPSet",), on="ip_set"),),
    ),
    "waf_rate_limit": AwsActionSpec(
        needs=("rate_limit",),
        arguments=("requests",),
        undo="waf_restore_rate_limit",
        looks=_RATE,
        acts=(Grant(actions=("wafv2:UpdateRuleGroup",), on="rate_limit"),),
    ),
    "cognito_reset_passwords": AwsActionSpec(
        needs=("user_pool", "sign_in_log"),
        arguments=("logged_in_from",),
        looks=_ACCOUNTS,
        acts=(Grant(actions=("cognito-idp:AdminResetUserPassword",), on="user_pool"),),
    ),
    "cognito_sign_out": AwsActionSpec(
        needs=("user_pool", "sign_in_log"),
        arguments=("logged_in_from",),
        looks=_ACCOUNTS,
        acts=(Grant(actions=("cognito-idp:AdminUserGlobalSignOut",), on="user_pool"),),
    ),
    "iam_deactivate_key": AwsActionSpec(
        needs=("iam_users",),
        arguments=("access_key",),
        undo="iam_activate_key",
        looks=_KEYS,
        acts=(Grant(actions=("iam:UpdateAccessKey",), on="iam_users"),),
    ),
    "iam_revoke_sessions": AwsActionSpec(
        needs=("iam_roles",),
        arguments=("role",),
        undo="iam_allow_sessions",
        looks=_SESSIONS,
        acts=(Grant(actions=("iam:DeleteRolePolicy", "iam:PutRolePolicy"), on="iam_roles"),),
    ),
    "ecs_rollback": AwsActionSpec(
        needs=("ecs",),
        undo="ecs_roll_forward",
        looks=_ECS,
        acts=(
            Grant(actions=("ecs:UpdateService",), on="ecs"),
            Grant(actions=("ecs:StopServiceDeployment",), on="ecs_deployments"),
        ),
    ),
    "lambda_rollback": AwsActionSpec(
        needs=("function",),
        undo="lambda_roll_forward",
        looks=_ALIAS,
        acts=(Grant(actions=("lambda:UpdateAlias",), on="function"),),
    ),
    "lambda_concurrency": AwsActionSpec(
        needs=("function",),
        arguments=("limit",),
        undo="lambda_restore_concurrency",
        looks=_CONCURRENCY,
        acts=(
            Grant(
                actions=("lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"),
                on="function",
            ),
        ),
    ),
    "aurora_failover": AwsActionSpec(
        needs=("db_cluster",),
        undo="aurora_fail_back",
        looks=_CLUSTER,
        acts=(Grant(actions=("rds:FailoverDBCluster",), on="db_cluster"),),
    ),
    "security_group_quarantine": AwsActionSpec(
        needs=("quarantine",),
        arguments=("instance",),
        undo="security_group_release",
        looks=_INSTANCES,
        acts=(Grant(actions=("ec2:ModifyInstanceAttribute",), on="quarantine"),),
    ),
    "rds_grow_storage": AwsActionSpec(
        needs=("db_instances",),
        arguments=("instance", "percent"),
        looks=_STORAGE,
        acts=(Grant(actions=("rds:ModifyDBInstance",), on="db_instances"),),
    ),
}
"""Every act by its name."""

READINGS: dict[str, AwsReading] = {
    "waf_blocked": AwsReading(needs=("ip_set",), arguments=("ip",), looks=_IP_SET),
    "waf_requests_allowed": AwsReading(needs=("rate_limit",), looks=_RATE),
    "cognito_accounts": AwsReading(
        needs=("user_pool", "sign_in_log"), arguments=("logged_in_from",), looks=_ACCOUNTS
    ),
    "cognito_accounts_to_reset": AwsReading(
        needs=("user_pool", "sign_in_log"), arguments=("logged_in_from",), looks=_ACCOUNTS
    ),
    "iam_key_active": AwsReading(needs=("iam_users",), arguments=("access_key",), looks=_KEYS),
    "iam_sessions_revoked": AwsReading(needs=("iam_roles",), arguments=("role",), looks=_SESSIONS),
    "ecs_steady": AwsReading(needs=("ecs",), looks=_ECS),
    "lambda_version": AwsReading(needs=("function",), looks=_ALIAS),
    "lambda_limit": AwsReading(needs=("function",), looks=_CONCURRENCY),
    "aurora_writer_is": AwsReading(needs=("db_cluster",), arguments=("instance",), looks=_CLUSTER),
    "aurora_available": AwsReading(needs=("db_cluster",), looks=_CLUSTER),
    "instance_quarantined": AwsReading(
        needs=("quarantine",), arguments=("instance",), looks=_INSTANCES
    ),
    "rds_storage_growing": AwsReading(
        needs=("db_instances",), arguments=("instance",), looks=_STORAGE
    ),
}
"""Every look by its name."""
