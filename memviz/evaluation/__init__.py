"""Sets of prompts to figures: how well a score tells, and what methods do to copying."""
