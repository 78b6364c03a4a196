"""See a diffusion model copy its training data, see when that was decided, and avoid it."""

__version__ = "0.1.0"
