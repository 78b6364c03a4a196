"""Looks at a model while it trains: pictures of probe prompts, and sweeps over its rounds."""
