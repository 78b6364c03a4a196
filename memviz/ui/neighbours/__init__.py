"""The Neighbours tab."""
