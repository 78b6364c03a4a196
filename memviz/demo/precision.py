"""Training in bfloat16, on machines that are quicker at it than at float32."""

import torch

NATIVE = ("amx_bf16", "avx512_bf16")  # what CPUs multiply such matrices with


def quick(device: torch.device) -> bool:
    """Whether a device multiplies in bfloat16: a CPU that imitates it is ten times slower."""
    return device.type != "cpu" or any(torch.cpu.get_capabilities().get(name) for name in NATIVE)


def mixed(device: torch.device, wanted: bool = True) -> torch.autocast:
    """Passes in bfloat16, weights in float32, where that is wanted and quick; else all float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and quick(device))
