"""What became of the data and the forecasts: drift, data quality, outcomes."""
