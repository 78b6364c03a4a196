"""Models without captions, on pixels (Liu et al., ECCV 2024, section 4): UNet2DModel, DDPMPipeline.

They train in the same loop as text-conditional ones, and are watched by memorization quantity.
"""
