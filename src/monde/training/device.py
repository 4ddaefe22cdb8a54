"""Device and precision by what the machine has."""

from pathlib import Path

import torch

from monde.errors import UsageError


def choose_device(name: str) -> torch.device:
    """ "auto" takes an accelerator where there is one; anything else is taken at its word.

    Raises:
        UsageError: A device that this machine does not have, or that this build of torch cannot use.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"device {name!r} cannot be used here",
            got=str(error).splitlines()[0],
            remedy="choose --device cpu, or install a build of torch for this accelerator",
        ) from error
    return device


def choose_precision(name: str, device: torch.device) -> bool:
    """Whether matrix products run in bfloat16: "auto" says yes where the hardware multiplies it natively."""
    if name == "bf16":
        return True
    if name == "fp32":
        return False
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and cpu_has_bf16()


def cpu_has_bf16() -> bool:
    """Whether the processor has AVX512-BF16 (or AMX-BF16); false where that cannot be told."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in text or "amx_bf16" in text
