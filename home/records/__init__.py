"""The shapes of what lies on disk or goes out: frozen, parsed once, read by all."""
