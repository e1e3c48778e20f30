// Bound the rounding error of right lines: numbers that carry an error bound.
//
// Running error analysis (Wilkinson 1986; Higham, Accuracy and Stability of Numerical Algorithms, 2002,
// section 3.3). Each operation is charged what it rounds: an addition, a product and
// a quotient half an ulp of the result, an exponential two ulps of it; errors of the operands are
// carried through; a subnormal number may have been taken for zero. A number is [value, bound]; a bound is
// infinite where nothing is known.

import { SMALLEST } from "./floats.js";
import { UNIT } from "./numbers.js";

// An allowance for rounding in the bounds themselves, ample for a few hundred operations.
const SLACK = 1 + 2 ** -40;

const rounded = (value, carried, units = 1) => [
  value,
  (carried + units * UNIT * Math.abs(value) + SMALLEST) * SLACK,
];

const multiply = ([a, da], [b, db]) => rounded(a * b, Math.abs(a) * db + Math.abs(b) * da + da * db);

function divide([a, da], [b, db]) {
  const least = Math.abs(b) - db;
  const quotient = a / b;
  return least > 0 ? rounded(quotient, (da + Math.abs(quotient) * db) / least) : [quotient, Infinity];
}

function power([a, da], [b]) {
  if (b === 1) return [a, da];
  return b === 2 ? multiply([a, da], [a, da]) : [a ** b, Infinity];
}

// One of two; of both, where it is not sure which.
function extreme(isFirst, a, b) {
  const one = isFirst ? a : b;
  return Math.abs(a[0] - b[0]) > a[1] + b[1] ? one : [one[0], Math.max(a[1], b[1])];
}

// The operations that the article's lines and their derivatives consist of.
export const BOUNDED = {
  from: (x) => [x, Math.abs(x) < SMALLEST ? Math.abs(x) : 0],
  value: ([x]) => x,
  "+": ([a, da], [b, db]) => rounded(a + b, da + db),
  "-": ([a, da], [b, db]) => rounded(a - b, da + db),
  "*": multiply,
  "/": divide,
  "**": power,
  neg: ([a, da]) => [-a, da],
  abs: ([a, da]) => [Math.abs(a), da],
  exp: ([a, da]) => rounded(Math.exp(a), Math.exp(a) * Math.expm1(da), 4),
  max: (a, b) => extreme(a[0] > b[0], a, b),
  min: (a, b) => extreme(a[0] < b[0], a, b),
};
