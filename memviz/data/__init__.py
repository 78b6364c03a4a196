"""Captioned pictures and lists of prompts, and how they lie on disk.

May import `io` and `errors` only.
"""
