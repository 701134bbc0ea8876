"""From stored features to a model and the evidence of how good it is."""
