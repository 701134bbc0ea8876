"""What the world is: sessions, underlyings, availability, targets. Pure."""
