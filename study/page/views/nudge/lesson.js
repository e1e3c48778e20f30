// The lesson of a nudge, in plain words.

import { relativeError } from "../../mathematics/difference.js";
import { raised, short, signed } from "../../mathematics/numbers.js";
import { TOO_SMALL } from "../../model/point.js";
import { areNumbers, share } from "./measured.js";

export function lesson(seen) {
  const { symbol, exact, slope, exponent, value } = seen;
  const step = `h = 10${raised(-exponent)}`;
  if (!areNumbers(seen)) return `At ${symbol} = ${short(value)} the loss is no finite number: there is no slope to measure.`;
  if (!seen.isMoved) return `${symbol} is so large that with ${step} ${symbol} + h is the same float64 as ${symbol}: nothing was moved.`;
  if (exact === null && seen.unknown === TOO_SMALL) return `The exact slope is too small to be known here. The secant's slope is ${signed(slope)}.`;
  if (exact === null && seen.slice.hasKink()) {
    return `At this point the curve has a kink: its slopes to the left and to the right differ, so there is no one derivative. The secant has slope ${signed(slope)}.`;
  }
  if (exact === null) {
    return `The rules give no one derivative at this point, as at a kink of an activation, but in the loss no kink is to be seen. The secant has slope ${signed(slope)}.`;
  }
  if (exact === 0) return `The exact slope is 0. The secant's slope is ${signed(slope)}.`;
  if (slope === 0) {
    return `With ${step} the two losses are the same float64: nothing is left of the difference, and the secant's slope is 0. The exact slope stays ${signed(exact, 4)}.`;
  }
  const error = relativeError(slope, exact);
  if (error >= 1) return `With ${step} the secant's slope says nothing: its error is ${share(error)} of the exact slope.`;
  const right = `With ${step} the secant's slope has an error of ${share(error)}`;
  // Among powers of ten the best is the nearest one.
  const best = Math.round(-Math.log10(bestStep(seen)));
  if (exponent < best) return `${right}: within so large a step the curve bends. A smaller step is better.`;
  if (exponent > best) return `${right}: the two losses share so many digits that few are left in their difference. A larger step is better.`;
  return `${right}: about the best that a difference can do here. A smaller step loses digits, and within a larger one the curve bends.`;
}

// Where both errors are equal, c·h² = u·L / (h |slope|); infinite where the curve does not bend.
const bestStep = ({ bend, rounding }) => (bend === null ? Infinity : Math.cbrt(rounding / bend));
