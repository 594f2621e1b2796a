"""What can go wrong with the stack on a laptop; each message says what to do about it."""


class LocalStackError(Exception):
    """Base of all of them: safe to show to the user as it stands."""


class PortTaken(LocalStackError):
    """Something else listens on the port."""


class NodeUnusable(LocalStackError):
    """Node.js, which CDK needs to synthesise the stack, is missing or too old."""


class SynthesisFailed(LocalStackError):
    """The CDK app could not be turned into a template."""


class DataDirectoryLocked(LocalStackError):
    """Another `squad up` works on the data folder."""


class DataDirectoryUnusable(LocalStackError):
    """The data folder is of another version, damaged, or not ours."""


class EmulatorDied(LocalStackError):
    """The emulator did not start or ended by itself; the message ends with its log."""


class DeployFailed(LocalStackError):
    """The emulator refused a resource of the stack."""


class UnknownDifference(LocalStackError):
    """The template holds something that the emulator lacks and that nobody decided about."""


class InvalidConfigFile(LocalStackError):
    """The file given with --config is wrong; the message names each field."""


class PostgresUnusable(LocalStackError):
    """No PostgreSQL server can be run here; the message ends with its log if it has one."""
