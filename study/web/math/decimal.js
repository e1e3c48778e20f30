// Arithmetic with 40 decimal digits. Sums that cancel lose some; what is shown of a result is fewer by far.

import { Decimal } from "decimal.js";

const Long = Decimal.clone({ precision: 40, toExpNeg: -7, toExpPos: 21 });

// So many digits of a number, or of a text that is one.
export const digitsOf = (x, count) => new Long(x).toSignificantDigits(count).toString();

export const DECIMALS = {
  // All digits of the float64, not the few that name it.
  from: (x) => new Long(Number.isFinite(x) ? x.toExponential(100) : x),
  value: (x) => x.toNumber(),
  "+": (a, b) => a.plus(b),
  "-": (a, b) => a.minus(b),
  "*": (a, b) => a.times(b),
  "/": (a, b) => a.div(b),
  "**": (a, b) => a.pow(b),
  neg: (a) => a.neg(),
  abs: (a) => a.abs(),
  exp: (a) => a.exp(),
  min: (a, b) => (a.lessThan(b) ? a : b),
};
