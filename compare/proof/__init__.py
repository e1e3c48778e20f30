"""The proof, by SymPy, that the hand-written lines compute the derivatives of their loss.

The lines run on SymPy's symbols (`symbols`), and SymPy differentiates the loss that they compute.
The difference must be 0 for all real numbers (`claims`). For the article's nine that is asked of
the lines as they stand. For any other network the formula of the whole grows too fast, so it is
asked of its parts: the chain through the network with *unknown* functions in place of activations
and loss, hence for any that there are, and each activation and each loss by itself (`lines`).
"""
