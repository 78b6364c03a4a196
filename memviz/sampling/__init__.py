"""The denoising loop: noise, batches, one step, and what it measures.

May import `signals`, `guidance`, `models` and what stands below them.
"""
