"""The Transition tab."""
