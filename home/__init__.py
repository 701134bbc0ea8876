"""What lies on disk: where, in which files, and in which shapes."""
