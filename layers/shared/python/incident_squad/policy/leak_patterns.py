"""What must not stand in public text, as patterns by kind.

All are matched without regard to case unless they say otherwise, over text that
`leak_gate.normalise` has prepared.
"""

import re
import unicodedata
from collections.abc import Sequence

TECHNOLOGIES = (
    "active directory", "airflow", "alertmanager", "amqp", "ansible", "apache", "argo ?cd",
    "aurora", "auth0", "autoscal(?:er|ing)", "availability zones?", "azure", "bastion", "bigquery",
    "calico", "cassandra", "celery", "cert-manager", "ci/cd", "circuit breaker", "clickhouse",
    "cloudflare", "cloudfront", "cloudtrail", "cloudwatch", "cockroachdb", "cognito",
    "connection pool(?:s|ing)?", "consul", "containers?", "coredns", "couchbase", "cronjobs?",
    "datadog", "dead ?locks?", "deadlock victim", "debian", "django", "docker", "dynamo ?db", "ebs",
    "ec2", "ecr", "ecs", "efs", "eks", "elastic ?(?:search|ache)", "[aen]lb", "elb", "envoy",
    "etcd", "fail ?over", "fail2ban", "fargate", "firewall rules?", "flask", "garbage collect\\w*",
    "gce", "gcp", "github", "gitlab", "gke", "grafana", "graphql", "grpc", "guardduty", "hadoop",
    "haproxy", "heap(?: dump| space)?", "helm", "hibernate", "hikari(?:cp)?", "hystrix", "iam",
    "influxdb", "ingress", "iops", "iptables", "istio", "jaeger", "java", "jenkins", "jvm", "jwt",
    "kafka", "keycloak", "kibana", "kinesis", "kms", "kube\\w*", "k8s", "lambda", "ldap", "linkerd",
    "linux", "load ?balancers?", "log4j", "logstash", "mariadb", "memcached?", "memory leaks?",
    "microservices?", "mongo(?:db)?", "mqtt", "mysql", "namespace", "nats", "neo4j", "new relic",
    "nginx", "node\\.?js", "nomad", "oauth2?", "okta", "oom[- ]?kill\\w*", "oom",
    "openresty", "opensearch", "openssl", "oracle", "out[- ]of[- ]memory", "pager ?duty",
    "persistent volumes?", "pgbouncer", "pgpool", "php", "pods?", "postgre(?:s|sql)?",
    "prometheus", "puppet", "python", "rabbit ?mq", "rails", "rds", "(?:read )?replicas?", "redis",
    "redshift", "replication(?: lag| slots?)?", "root cause analysis", "route ?53", "runbooks?",
    "s3", "saml", "sentry", "shards?", "sidekiq", "sidecar", "snowflake", "sns", "solr", "splunk",
    "spring boot", "sqlite", "sqs", "ssh", "stack ?traces?", "standby", "statefulsets?", "systemd",
    "target groups?", "tcp", "terraform", "thread pools?", "timescale(?:db)?", "tomcat", "traefik",
    "ubuntu", "udp", "upstreams?", "varnish", "vault", "vcenter", "vmware", "vpc", "vpn",
    "wal(?: sender)?", "waf", "zookeeper", "admin endpoints?",
    "cve",
)  # fmt: skip
"""Names of technology, and words that show how our systems are built."""


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_PEOPLE = _any(
    "engineer|dba|developer|administrator|operator|sysadmin|intern|employee|colleague",
    "contractor|supplier",
)
BLAME = _any(
    r"human error|erreur humaine|user error|operator error",
    r"\b(?:mistakes?|errors?|negligence|fault|carelessness)\s+(?:made\s+)?(?:by|of)\b",
    r"negligen\w+|incompeten\w+|careless\w*|sloppy|blam(?:e|ed|ing)\b|fat[- ]finger\w*",
    rf"\b(?:our|an?|the|one of our)\s+(?:\w+\s+)?(?:{_PEOPLE})s?\b",
    r"\b(?:forgot|failed|neglected|omitted)\s+to\s+(?:renew|test|check|review|update|rotate|see)",
    r"\b(?:misconfigured|deleted|broken|caused|pushed|deployed)\s+by\s+(?:an?\s+|our\s+|the\s+)?"
    r"(?:\w+\s+)?(?:team|vendor|provider|partner|member|person|someone|somebody|staff)",
    r"\b(?:a cause de|(?:par )?la faute de|faute de)\s+(?:notre|nos|l['\u2019]equipe|une?|le|la)",
    r"\b(?:une?|notre|nos|l['\u2019])\s*(?:ingenieure?s?|developpeu(?:r|se)s?|dba|administrat\w+)",
    r"\b(?:une?|notre|nos|l['\u2019])\s*(?:stagiaires?|collegues?|employee?s?|prestataires?)",
    r"\bnegligence|\bincompeten\w+|\ba oublie de\b|\bmaladresse|\bpar erreur de\b",
)
"""Phrases that put it on somebody, in English and French (accents are taken off before)."""

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_PLACES = _any(
    "prod|production|staging|stg|preprod|uat|dev|qa|db|database|svc|api|srv|lb|alb|elb|nlb",
    "cluster|node|pod|worker|primary|replica|cache|queue|gw|vpc|subnet|backend|master|slave",
    "broker|shard|redis|postgres|mysql|kafka|nginx|ingress|cron|lambda|vm|host|infra|admin",
    "internal",
)
_SECRET_NAMES = _any(
    "pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|api[ _-]?keys?|access[ _-]?keys?",
    "private[ _-]?keys?|credentials?|mot de passe|jeton",
)

PATTERNS: Sequence[tuple[str, str]] = (
    ("secret", r"-----BEGIN [A-Z ]+-----(?:[\s\S]*?-----END [A-Z ]+-----)?"),
    ("secret", r"\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,}\b"),
    ("secret", r"\bgh[pousr]_\w{8,}|\bgithub_pat_\w{8,}|\bglpat-[\w-]{8,}|\bnpm_\w{8,}"),
    ("secret", r"\bxox[a-z]-[\w-]{6,}|\bxapp-[\w-]{6,}|\bSG\.[\w-]{6,}\.[\w-]{6,}"),
    ("secret", r"\b(?:sk|pk|rk|whsec)[-_][\w-]{8,}|\bAIza[\w-]{10,}|\bya29\.[\w-]{8,}"),
    ("secret", r"\beyJ[\w-]{5,}(?:\.[\w-]{5,}){1,2}|\bPM(?:AK|AT)-[\w-]{8,}|\bdop_v1_\w{8,}"),
    ("secret", r"\b(?:bearer|basic)\s+(?=\S*\d)[A-Za-z0-9+/_=.-]{6,}"),
    ("secret", r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"),
    ("secret", rf"\b[\w-]*(?:{_SECRET_NAMES})[\"']?\s*(?:[:=]|=>)\s*[\"']?[^\s\"',;]{{3,}}"),
    ("secret", rf"\b(?:{_SECRET_NAMES})\s+(?:is|est)\s+(?=\S*[\d\W])\S{{6,}}"),
    ("url", r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bhxxps?:\S+|\bwww\.\S+|\bmailto:\S+"),
    ("e-mail", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*"),
    ("handle", r"(?<!\w)[@#][a-z][\w.-]+"),
    ("arn", r"\barn:[\w-]+:\S+"),
    ("region", r"\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)-(?:gov-)?[a-z]+-\d[a-z]?\b"),
    ("ip", r"(?<![\d.])(?:\d{1,3}\s?\.\s?){3}\d{1,3}(?:\s?/\s?\d{1,2})?(?![\d])"),
    ("mac", r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b"),
    ("uuid", r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    ("host", r"\b(?!(?:inc|sev|covid)-)(?=[\w-]*\d)[a-z][a-z0-9]*(?:[-_]+[a-z0-9]+)+\b"),
    ("host", rf"\b(?!(?:sev|{_MONTHS}|top|covid)\d)[a-z]{{2,}}\d{{1,6}}[a-z]?\b"),
    ("host", rf"\b(?:[a-z0-9]+[-_])+(?:{_PLACES})s?\b|\b(?:{_PLACES})s?(?:[-_][a-z0-9]+)+\b"),
    ("host", r"\b(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]\b"),
    ("identifier", r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b"),
    ("port", r"\bports?\s*[:=#]?\s*\d{1,5}\b|(?<=[a-z\]]):\d{2,5}\b|:\d{4,5}\b"),
    ("path", r"(?<![\w<])(?:~|\.{1,2})?/[a-z][\w.-]*(?:/[\w.-]*)*|\b[a-z]:\\\w+"),
    ("number", r"(?<![\d.])\d{9,}(?!\d)|\b\d{4}(?:[ -]\d{4}){2,}\b"),
    ("number", r"\b[a-z]{2}\d{2}(?: ?\w{4}){3,}\b"),
    ("token", r"(?=[\w+/=]*\d)(?=[\w+/=]*[a-z])[\w+/]{16,}={0,2}"),
    ("token", r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b|\b0x[0-9a-f]{4,}\b"),
    ("sql", r"\bselect\s+(?:\*|distinct\b|count\s*\(|[\w.\"]+(?:\s*,\s*[\w.\"]+)*\s+from\b)"),
    ("sql", r"\binsert\s+into\b|\bdelete\s+from\b|\bupdate\s+\w+\s+set\b|\bunion\s+select\b"),
    ("sql", r"\b(?:drop|alter|truncate|create)\s+(?:table|index|database|view|role|user)\b"),
    ("sql", r"\bwhere\s+\w+\s*(?:=|<|>|!=|\bin\b|\blike\b)|\b(?:inner|left|outer)\s+join\b"),
    ("stack trace", r"\btraceback\b|\bcaused by:|\bfile\s+\"[^\"]+\"|\bline\s+\d+\s*(?:,|in\b)"),
    ("stack trace", r"\bat\s+[\w.$<>]+\([^)]*\)|\b[\w.]+\.(?:java|py|js|ts|go|rb|php|cs)\b"),
    ("internal", r"\b(?:exit code|errno|sig(?:kill|term|segv)|segfault|segmentation fault)\b"),
    ("internal", r"\b(?:http|status|code|error|erreur)s?\s*[45]\d\d\b"),
    ("internal", r"\b[45]\d\d\s+(?:errors?|erreurs?)"),
    ("technology", rf"(?<![\w-])(?:{_any(*TECHNOLOGIES)})(?!\w)"),
    ("blame", BLAME),
)
"""Kind and pattern. The order is the order of the report, not of importance."""

CASED: Sequence[tuple[str, str]] = (
    ("technology", r"\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+){2,}\b|\b[A-Z]{3,}[a-z]{2,}\w*\b"),
    ("stack trace", r"\b\w*[a-z](?:Error|Exception)\b"),
    ("sql", r"\bSELECT\b|\bINSERT\b|\bWHERE\b"),
)
"""Patterns for which case matters."""


def unaccented(text: str) -> str:
    """The text without accents and other marks above or below its letters."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(char for char in parts if unicodedata.category(char) != "Mn")


COMPILED = (
    *((kind, re.compile(unaccented(text), re.IGNORECASE)) for kind, text in PATTERNS),
    *((kind, re.compile(unaccented(text))) for kind, text in CASED),
)
SECRETS = tuple(pattern for kind, pattern in COMPILED if kind == "secret")
IPV6 = re.compile(
    r"(?<![\w:.])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(?:%\w+)?(?:/\d{1,3})?", re.IGNORECASE
)
