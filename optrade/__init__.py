"""The composition root: settings, commands, and how the parts are put together."""
