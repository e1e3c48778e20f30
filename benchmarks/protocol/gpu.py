"""Find out whether JAX can use a GPU."""

import os
import subprocess
import sys

from compare.wording import install

#: Run in another process, so that this one does not reserve the device's memory.
PROBE = "import jax; print(jax.devices('gpu')[0].device_kind)"

#: Seconds that JAX may take to find a device, including the first start of its driver.
PATIENCE = 120

HINT = f"expected a GPU, and {install('cuda')}"


def why_not() -> str:
    """Return why JAX cannot use a GPU here; "" if it can."""
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
    # The last line of a traceback, unless it is an exception without a message.
    why = f" ({said[:120]})" if ": " in said else ""
    return f"JAX finds none{why}; {HINT}"
