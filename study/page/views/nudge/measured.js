// Measure a parameter at a point with a step: losses, slopes, and their errors.

import { stepSize } from "../../mathematics/difference.js";
import { UNIT, short } from "../../mathematics/numbers.js";

// All that the view shows of a point and a step.
export function measured(study, slice, state, point) {
  const name = state.parameter;
  const gradient = study.gradients[name];
  const value = point.given[name];
  slice.hold(point.given, name);
  const h = stepSize(state.nudge);
  const text = point.exact(gradient);
  const exact = text === null ? null : Number(text);
  const loss = slice.at(value);
  return {
    slice,
    whose: point.sample.name,
    symbol: study.quantity[name].symbol,
    value,
    loss,
    exponent: state.nudge,
    h,
    ...slice.central(h),
    text,
    exact,
    unknown: point.unknown(gradient), // why there is no exact slope, where there is none
    // c in c·h² and in c/h: what the bend and the rounding add to the relative error.
    bend: exact ? slice.bend(exact) : null,
    rounding: exact ? (UNIT * Math.abs(loss)) / Math.abs(exact) : null,
    sides: { by_hand: point.by_hand[gradient], autodiff: point.autodiff[gradient] },
    ulps: { by_hand: point.ulps.by_hand[gradient], autodiff: point.ulps.autodiff[gradient] },
    certified: point.certified,
  };
}

export const areNumbers = (seen) => [seen.value, seen.loss, seen.above, seen.below, seen.slope].every(Number.isFinite);

// A fraction, in percent unless that is too small or too large to read.
export const share = (part) => (part < 1e-3 || part >= 100 ? short(part, 2) : `${short(100 * part, 3)} %`);
