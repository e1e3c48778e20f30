"""Whether there is a GPU that JAX can use."""

import os
import subprocess
import sys

#: Run in a process of its own, so that this one does not take the device's memory.
PROBE = "import jax; print(jax.devices('gpu')[0].device_kind)"

#: Seconds that JAX may take to find a device, the first start of its driver included.
PATIENCE = 120

HINT = "expected a GPU, and the extra cuda: .venv/bin/pip install -e '.[cuda]'"


def why_not() -> str:
    """Why JAX cannot use a GPU here; "" if it can."""
    env = {**os.environ, "JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    command = [sys.executable, "-c", PROBE]
    try:
        probe = subprocess.run(
            command, capture_output=True, text=True, check=False, env=env, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"JAX found none in {PATIENCE} seconds; {HINT}"
    if probe.returncode == 0:
        return ""
    said = (probe.stderr.strip().splitlines() or [""])[-1]
    # The last line of a traceback; without a message behind its name it tells nothing.
    why = f" ({said[:120]})" if ": " in said else ""
    return f"JAX finds none{why}; {HINT}"
