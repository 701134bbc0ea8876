"""Closed trades as other programs export them, recognised by their columns."""
