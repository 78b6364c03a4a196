"""The folder of a run: its store, trace, kept latents and contact sheet.

May import `sampling` and what stands below it; the store opens without torch.
"""
