"""Guidance methods, one file each, and the registry that names them: scales, switches, mitigations.

May import `models`, `io` and `errors`; the registry needs no torch.
"""
