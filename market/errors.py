"""Errors, grouped by what the caller does about them. Their text never holds a secret."""


class InputError(ValueError):
    """Bad input: the message says what was got, what is allowed and what to do (exit code 2)."""


class SchemaViolation(InputError):
    """Data does not have the declared shape: stop, nothing lands."""


class ConfigurationError(InputError):
    """Something has to be set up first: fix the configuration."""


class MissingCredential(ConfigurationError):
    """A key is needed and none is set."""


class NotEntitled(ConfigurationError):
    """The key is valid, the plan does not include this."""


class SourceUnavailable(RuntimeError):
    """A vendor did not answer usefully: try again later."""
