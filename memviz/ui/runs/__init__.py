"""The Runs tab: what was made, found again, noted, handed on and taken away."""
