// The slope of the loss as a difference quotient, and its error as the step shrinks.

import { DOUBLED } from "./doubled.js";
import { Machine, partOf, run } from "./mathematics.js";

// The step of a quotient that is not looked at itself: about the cube root of 2^-53, where its errors are smallest.
export const STEP = 1e-5;

// The step of an exponent; 10 ** -5 need not be the float64 that is nearest to it.
export const stepSize = (exponent) => (Number.isInteger(exponent) ? Number(`1e-${exponent}`) : 10 ** -exponent);

// The loss of one sample as a function of one parameter, all others held.
export class Slice {
  constructor(study, program) {
    this.loss = study.loss;
    this.program = partOf(program, [study.loss]);
    this.machine = new Machine(this.program);
  }

  hold(given, parameter) {
    this.given = given;
    this.parameter = parameter;
    this.machine.put(given);
    return this;
  }

  at(value) {
    const { machine, parameter } = this;
    machine.results[machine.at[parameter]] = value;
    return machine.run().value(this.loss);
  }

  // Through the points a step before and behind: (L(w + h) - L(w - h)) / 2h.
  central(h) {
    const w = this.given[this.parameter];
    const [above, below] = [this.at(w + h), this.at(w - h)];
    return { above, below, slope: (above - below) / (2 * h), isMoved: w + h !== w && w - h !== w };
  }

  // Whether there is a kink: the slopes to the left and to the right differ, however near they are
  // taken. Where a curve only bends, their difference shrinks with the step, to 1/1024 here; at a kink
  // it stays. The limit is halfway between, as factors go.
  hasKink() {
    const [wide, close] = [2 ** -20, 2 ** -30].map((h) => this.turn(h));
    return close.isCertain && close.size > wide.size / 32;
  }

  // The right slope minus the left one, in 106 bits, and whether that exceeds their error.
  turn(h) {
    const w = this.given[this.parameter];
    const [before, here, after] = [w - h, w, w + h].map((value) => this.exactlyAt(value));
    // The actual steps after rounding w ± h; their differences are exact.
    const left = DOUBLED["/"](DOUBLED["-"](here, before), DOUBLED.from(w - (w - h)));
    const right = DOUBLED["/"](DOUBLED["-"](after, here), DOUBLED.from(w + h - w));
    const [high, low, error] = DOUBLED["-"](right, left);
    return { size: Math.abs(high + low), isCertain: Math.abs(high + low) > error };
  }

  // In 106 bits.
  exactlyAt(value) {
    const results = run(this.program, { ...this.given, [this.parameter]: value }, DOUBLED);
    return results[this.program.at[this.loss]];
  }

  // c in c·h², the relative truncation error, from one difference in 106 bits. Null where there is
  // none.
  //
  // Of a curve that bends within about 1 the next term is h² of it, a millionth with this step. It is
  // not smaller because `slope` is a float64: its rounding counts for 2^-53 / h², a ten-billionth.
  bend(slope) {
    const h = 2 ** -10;
    const w = this.given[this.parameter];
    const width = w + h - (w - h);
    if (!(width > 0)) return null;
    const [above, below] = [w + h, w - h].map((value) => this.exactlyAt(value));
    const [difference] = DOUBLED["-"](above, below);
    const c = Math.abs(difference / width / slope - 1) / h ** 2;
    return Number.isFinite(c) && c > 0 ? c : null;
  }
}

export const relativeError = (value, exact) => Math.abs(value - exact) / Math.abs(exact);
