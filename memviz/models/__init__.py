"""Pipelines: names and folders to loaded models, schedulers, the denoiser, attention, decoders.

May import `data`, `io` and `errors`.
"""
