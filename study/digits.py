"""A digits network for the page: trained by hand and by autodiff in lockstep, and then rounded.

`python -m study.digits` trains it and writes `digits.json`. The page is built from that file, so it
needs neither scikit-learn, which the data come with, nor the time.

The images: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
Learning Repository, 1998, doi:10.24432/C50P49, under CC BY 4.0.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from compare.networks.plan import Plan
from manual.affine import Layer
from manual.network import Network, predict

STORED = Path(__file__).with_suffix(".json")

#: `python -m compare train --data digits --network 64-16-16-10 --epochs 40` trains the same.
PLAN = Plan(Network((64, 16, 16, 10), loss="softmax-ce"), "adam", 0.01, batch=32, seed=0)
EPOCHS = 40
TEST_FRACTION = 0.2

#: Decimals that are kept of every number.
DECIMALS = 4


def trained() -> dict[str, Any]:
    """Train, and return what is stored: the network, and held-out images.

    They are the first of each digit that is read right, and the first that is misread.

    Raises:
        ValueError: the two sides disagree.
    """
    from compare.data import built_in
    from compare.networks.prepared import prepare, split
    from compare.networks.training import Training, train
    from compare.agreement import BY_AUTODIFF, BY_HAND

    data = built_in("digits")
    prepared = prepare(data, PLAN.network.sizes[-1], TEST_FRACTION, PLAN.seed, PLAN.numpy_dtype)
    training = Training(PLAN, prepared, (BY_HAND, BY_AUTODIFF))
    progress = train(training, EPOCHS)
    if progress.verdict != "agree":
        raise ValueError(f"the digits network: {progress.first_divergence}; expected to agree")
    kept = {
        "sizes": PLAN.network.sizes,
        "params": _rounded(progress.points[BY_HAND].params),
        "mean": _rounded(prepared.scale.mean),
        "sd": _rounded(prepared.scale.sd),
    }
    _, rows = split(data.y, TEST_FRACTION, PLAN.seed)
    pixels, digits = data.x[rows].astype(int), data.y[rows]
    read = outputs(kept, pixels).argmax(axis=1)
    is_right = read == digits
    shown = [int(np.argmax(is_right & (digits == digit))) for digit in range(10)]
    shown.append(int(np.argmin(is_right)))
    images = [{"digit": int(digits[at]), "pixels": pixels[at].tolist()} for at in shown]
    return {
        **kept,
        "activation": PLAN.network.activation,
        "decimals": DECIMALS,
        "trained": len(data.x) - len(rows),
        "updates": int(progress.points[BY_HAND].count),
        "images": images,
        "tested": len(rows),
        "right": int(np.sum(is_right)),
    }


def _rounded(values: np.ndarray) -> list[float]:
    return np.round(values, DECIMALS).tolist()


def parameters(stored: dict[str, Any]) -> list[Layer]:
    """Return the layers of the stored network."""
    from compare.networks import flat

    return flat.split(np.array(stored["params"]), stored["sizes"])


def standardised(stored: dict[str, Any], pixels: Any) -> np.ndarray:
    """Return pixels, shape (n, 64), as the stored network takes them."""
    return (np.array(pixels) - stored["mean"]) / stored["sd"]


def outputs(stored: dict[str, Any], pixels: Any) -> np.ndarray:
    """Return the stored network's probabilities of the ten digits, shape (n, 10)."""
    return predict(PLAN.network, parameters(stored), standardised(stored, pixels))


def stored() -> dict[str, Any]:
    """Return the network and the images that `trained` has left in the file."""
    return json.loads(STORED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    STORED.write_text(json.dumps(trained(), separators=(",", ":")) + "\n", encoding="utf-8")
