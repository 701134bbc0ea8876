"""What a model is as data: one kind a module, parsed strictly and evaluated purely."""
