"""The evidence of a training as frozen records: what is written to MLflow, and read back."""
