"""The demo world: a small Stable Diffusion that really memorized, and how it was made.

May import everything but the user interfaces; nothing but `cli` and `scripts/` needs it.
"""
