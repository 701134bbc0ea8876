"""Signals of the past, as models that had not seen them would have given them."""
