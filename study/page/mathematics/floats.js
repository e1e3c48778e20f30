// Float64 arithmetic as in NumPy, one of the arithmetics that a program can run on.
//
// An arithmetic has a function for every operation that Python's recording knows, by the same name,
// and `from` and `value`, which convert from a float64 and back.

import { doubledErfc } from "./doubled.js";

export const FLOATS = {
  from: (x) => x,
  value: (x) => x,
  rootOfPi: Math.sqrt(Math.PI),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "**": (a, b) => (b === 2 ? a * a : Math.pow(a, b)), // NumPy's square is one multiplication
  neg: (a) => -a,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  erfc: (x) => doubledErfc([x, 0])[0],
  max: (a, b) => Math.max(a, b),
  largest: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  ">": (a, b) => (a > b ? 1 : 0),
  "≥": (a, b) => (a >= b ? 1 : 0),
  sign: Math.sign,
  where: (truth, a, b) => (truth !== 0 ? a : b),
};

// The smallest normal float64.
export const SMALLEST = 2 ** -1022;

// A number below it as the processor reads and writes it where subnormals are flushed: zero, with its sign.
const flushed = (x) => (Math.abs(x) < SMALLEST ? 0 * x : x);

// What copies bits, or only chooses, flushes nothing.
const COPIES = new Set(["from", "value", "neg", "abs", "where"]);

// Float64 arithmetic as JAX has it: XLA on a CPU takes subnormal numbers for zero, and makes none. Autodiff as a witness
// has it. Python and NumPy keep them, and so do the lines by hand and the tape, which is the one of docs/autodiff.md.
export const FLUSHED = Object.fromEntries(
  Object.entries(FLOATS).map(([name, act]) =>
    COPIES.has(name) || typeof act !== "function"
      ? [name, act]
      : [name, (a, b, c) => flushed(act(flushed(a), flushed(b), flushed(c)))],
  ),
);
