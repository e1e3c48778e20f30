// Float64 arithmetic as NumPy has it.

export const FLOATS = {
  from: (x) => x,
  value: (x) => x,
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "**": (a, b) => (b === 2 ? a * a : a ** b), // NumPy's square is one multiplication
  neg: (a) => -a,
  abs: Math.abs,
  exp: Math.exp,
  min: Math.min,
};
