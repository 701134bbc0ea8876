"""What a ticker's option chains say of volatility."""
