"""The evidence of a training as one page for people."""
