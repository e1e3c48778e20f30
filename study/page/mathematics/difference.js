// The slope of the loss as a difference quotient, and what becomes of it as the step shrinks.

import { DOUBLED } from "./doubled.js";
import { Machine, partOf, run } from "./mathematics.js";
import { UNIT } from "./numbers.js";

// The step of an exponent; 10 ** -5 need not be the float64 that is nearest to it.
export const stepSize = (exponent) => (Number.isInteger(exponent) ? Number(`1e-${exponent}`) : 10 ** -exponent);

// The loss of one sample along one parameter, all else held.
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

  // Whether the slopes to the left and to the right differ by more than a smooth curve's, and by more
  // than rounding makes of them.
  isBent() {
    const h = 1e-6;
    const w = this.given[this.parameter];
    const [before, here, after] = [w - h, w, w + h].map((value) => this.at(value));
    const [left, right] = [(here - before) / h, (after - here) / h];
    const [rounding, bend] = [(8 * UNIT * Math.abs(here)) / h, 1e-3 * Math.max(Math.abs(left), Math.abs(right))];
    return Math.abs(right - left) > Math.max(rounding, bend);
  }

  // c in c·h², the relative error that the bend of the curve alone makes: from one difference in
  // 106 bits, in which a step of that size loses no digit that counts. Null where there is none.
  bend(slope) {
    const h = 2 ** -10;
    const w = this.given[this.parameter];
    const width = w + h - (w - h);
    if (!(width > 0)) return null;
    const [above, below] = [w + h, w - h].map((value) => {
      const results = run(this.program, { ...this.given, [this.parameter]: value }, DOUBLED);
      return results[this.program.at[this.loss]];
    });
    const [difference] = DOUBLED["-"](above, below);
    const c = Math.abs(difference / width / slope - 1) / h ** 2;
    return Number.isFinite(c) && c > 0 ? c : null;
  }
}

export const relativeError = (value, exact) => Math.abs(value - exact) / Math.abs(exact);
