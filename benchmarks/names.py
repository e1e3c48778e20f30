"""The names of the rows, on the command line, in stored results, tables and figures."""

ARTICLE = "article-lines"
FLOATS = "hand-floats"
HAND = "hand-numpy"
HAND_JIT = "hand-jit"
HAND_JIT_ARTICLE = "hand-jit-article"
GRAD = "grad-jit"
GRAD_AOT = "grad-aot"
FROM_HOST = "grad-jit-from-host"
IN_NUMPY = "grad-jit-in-numpy"
PUBLIC = "grad-public"
FORWARD = "forward-mode"
DIFFERENCES = "central-differences"
C = "c"
TORCH, TORCH_COMPILED = "torch-eager", "torch-compile"
AUTOGRAD, SKLEARN = "autograd", "scikit-learn"

#: All contenders, by the name that `--contender` takes, with a description.
CONTENDERS = {
    ARTICLE: "the article's own lines on NumPy scalars",
    FLOATS: "by hand on Python floats",
    HAND: "by hand, NumPy; for one network and sample on its scalars",
    HAND_JIT: "the hand lines under jax.jit",
    HAND_JIT_ARTICLE: "the hand lines with σ' = σ(1 - σ), under jax.jit",
    GRAD: "jax.grad under jax.jit, arguments and results on the device",
    GRAD_AOT: "jax.grad compiled ahead of time",
    FROM_HOST: "jax.grad under jax.jit, arguments in NumPy",
    IN_NUMPY: "jax.grad under jax.jit, arguments and results in NumPy",
    PUBLIC: "the public function of autodiff/article.py, arguments and results in NumPy",
    FORWARD: "forward mode, jax.jvp, under jax.jit",
    DIFFERENCES: "central differences of the compiled loss",
    C: "a C program, cc -O3 -march=native",
    TORCH: "PyTorch, eager",
    TORCH_COMPILED: "PyTorch, torch.compile",
    AUTOGRAD: "HIPS autograd",
    SKLEARN: "scikit-learn's MLP",
}

#: Contenders whose libraries are optional.
PEERS = (TORCH, TORCH_COMPILED, AUTOGRAD, SKLEARN)

#: The reference of ratios: what one would use without writing anything by hand.
REFERENCE = GRAD

#: The second measurement of the reference, which gives the noise.
AGAIN = f"{REFERENCE}-again"

#: The loss alone, for the cost of a gradient in losses.
LOSS = "loss-jit"

#: The parts of the floor.
EMPTY_CALL, IDENTITY = "empty-call", "jitted-identity"
PRODUCTS = {"NumPy": "products-numpy", "jax.jit": "products-jit"}
MEMORY = {"NumPy": "memory-numpy", "jax.jit": "memory-jit"}
PRODUCTS_CALLS, MEMORY_CALL = "products-numpy-calls", "memory-numpy-call"

#: The rows that time only the calls of a part of the floor.
CALLS = {
    PRODUCTS["NumPy"]: PRODUCTS_CALLS,
    PRODUCTS["jax.jit"]: IDENTITY,
    MEMORY["NumPy"]: MEMORY_CALL,
    MEMORY["jax.jit"]: IDENTITY,
}

#: Moving arguments to the device and the result back.
TRANSFER = "transfer"

LABELS = CONTENDERS | {
    AGAIN: f"{CONTENDERS[REFERENCE]}, again",
    LOSS: "the loss alone, under jax.jit",
    EMPTY_CALL: "an empty Python call",
    IDENTITY: "a jitted identity",
    PRODUCTS["NumPy"]: "the matrix products, NumPy",
    PRODUCTS["jax.jit"]: "the matrix products, jax.jit",
    MEMORY["NumPy"]: "moving the bytes, NumPy",
    MEMORY["jax.jit"]: "moving the bytes, jax.jit",
    PRODUCTS_CALLS: "as many matrix products of one number each, NumPy",
    MEMORY_CALL: "moving one byte, NumPy",
    TRANSFER: "arguments to the device and the answer back",
}
