"""Backtests of a home: forecasts of models that had not seen them, trades, judgement, pages."""
