"""Sets of prompts to figures: what every method does to copying, measured on the demo.

May import everything from `training` down.
"""
