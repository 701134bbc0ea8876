"""Forecasts from parameters that are data: strict parsing, pure evaluation, nothing fitted."""
