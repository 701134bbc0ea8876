"""Why live differed from the backtest: ladders of a home's sessions, from its own rows."""
