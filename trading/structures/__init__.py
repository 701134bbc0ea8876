"""Positions with a defined loss: legs, payoffs, prices and chances. Pure."""
