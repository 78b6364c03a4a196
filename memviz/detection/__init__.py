"""Whether a prompt looks memorized: bands of ordinary prompts, scores with ROC, saliency of words.

May import everything from `sampling` down, and `retrieval`.
"""
