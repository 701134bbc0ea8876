import home  # noqa: F401 - first, as it says how Feast is imported
