"""The main use case: what is compared, its cells, their scores, and sweeps over transitions.

May import everything from `detection` down; `request` needs no torch.
"""
