"""Options on an underlying: prices and expiries. Pure and vectorised."""
