"""What times depend on, besides the engines' versions: processor, memory, system. No names of machines or users."""

import os
import platform
from pathlib import Path


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, str | int | float]:
    """Return the machine in a few words, and how busy it was."""
    facts: dict[str, str | int | float] = {
        "processor": _processor(),
        "processors": processors(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        facts["memory in GB"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    if hasattr(os, "getloadavg"):
        facts["load before"] = round(os.getloadavg()[0], 1)
    return facts


def _processor() -> str:
    """The processor's model, with its widest vectors if the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    entries = (line.partition(":") for line in reversed(lines) if ":" in line)
    facts = {name.strip(): value.strip() for name, _, value in entries}
    flags = facts.get("flags", "").split()
    widest = next((shown for flag, shown in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
    return ", ".join(filter(None, [facts.get("model name") or platform.machine(), widest]))
