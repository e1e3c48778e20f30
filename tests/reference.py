"""The article's reference numbers: float64, checked in 50-digit and in ball arithmetic.

The article's worked example has all weights 1 and all biases 0; its training starts there too, with
η = 0.1 and the people in the order of the table.
"""

import numpy as np

from compare.people import PEOPLE, raw, shifted, targets
from manual.article import Parameters

XS, YS = shifted(raw(PEOPLE)), targets(PEOPLE)
ALICE, BOB = (XS[0], YS[0]), (XS[1], YS[1])

#: ∂L/∂w1 .. ∂L/∂b3 of Alice's loss.
PARTIALS = {
    "w1": 0.0214695352658111,
    "w2": 0.0107347676329056,
    "w3": 0.0214695352658111,
    "w4": 0.0107347676329056,
    "w5": -0.0112692202429582,
    "w6": -0.0112692202429582,
    "b1": -0.0107347676329056,
    "b2": -0.0107347676329056,
    "b3": -0.237617559528428,
}

#: ∂L/∂w1 of Bob's loss: the truth, and what σ(1 - σ) makes of it.
BOB_W1, BOB_W1_ARTICLE = 1.591767734273890e-13, 1.5914044194235976e-13

#: Mean loss at the start, after each update of epoch 0, and after the updates of an epoch.
START = 0.5071183179199986
EPOCH_0 = [0.5065854848430947, 0.5038375295331278, 0.5008296794609172, 0.500194529252766]
LOSSES = {
    0: 0.500194529252766,
    10: 0.39202924503396813,
    100: 0.04286382133794951,
    500: 0.00535982766573919,
    990: 0.002417413502389421,
    999: 0.0023927078180747594,
}

TRAINED = Parameters(
    w1=1.289637872141,
    w2=1.144818934783,
    w3=1.289637872141,
    w4=1.144818934783,
    w5=-3.031586820924,
    w6=-3.031586820924,
    b1=-0.144818931740,
    b2=-0.144818931740,
    b3=2.878819304207,
)
EMILY, FRANK = 0.9467883893, 0.0397587605


def close(value: float, reference: float, digits: int) -> bool:
    """Whether the two agree to that many significant digits, up to one in the last of them."""
    last = 10.0 ** (np.floor(np.log10(np.abs(reference))) + 1 - digits)
    return bool(np.abs(value - reference) <= last)
