"""The demo world: a small Stable Diffusion that really memorised, and how it was made."""
