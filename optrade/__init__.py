"""The composition root: settings, commands, and how the parts are put together."""

import home  # noqa: F401 - first, as it says how Feast is imported
