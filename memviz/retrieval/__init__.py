"""From a picture to its nearest training pictures: descriptors, index, background, alignment.

May import `models`, `data`, `io` and `errors`; `verdict` needs no torch.
"""
