// The mean loss over two parameters, all others held, and its slopes there.

import { Machine, apply, mean, partOf } from "./mathematics.js";

// Recomputes only what a move along an axis changes; the rest once per sample or once per row.
export class Landscape {
  constructor(study, program, [across, up]) {
    const { loss, gradients } = study;
    this.loss = loss;
    this.names = [across, up];
    this.machine = new Machine(partOf(program, [loss]));
    const { at, steps } = this.machine;
    const byAcross = reached(steps, at[across]);
    const byUp = reached(steps, at[up]);
    this.inner = steps.filter((step) => byAcross.has(step.at(-1)));
    this.outer = steps.filter((step) => byUp.has(step.at(-1)) && !byAcross.has(step.at(-1)));
    this.slopes = [gradients[across], gradients[up]];
    this.back = new Machine(partOf(program, this.slopes));
  }

  // The operations that one point of a grid takes.
  cost(samples) {
    return samples.length * this.inner.length;
  }

  // Row by row, from the first of ups: an array of ups.length rows.
  grid(given, samples, acrosses, ups) {
    const { machine, inner, outer } = this;
    const { results, at } = machine;
    const [x, y] = this.names.map((name) => at[name]);
    const values = new Float64Array(acrosses.length * ups.length);
    machine.put(given);
    for (const sample of samples) {
      machine.put(sample).run();
      let k = 0;
      for (const up of ups) {
        results[y] = up;
        apply(outer, results);
        for (const across of acrosses) {
          results[x] = across;
          apply(inner, results);
          values[k] += results[at[this.loss]] / samples.length;
          k += 1;
        }
      }
    }
    return values;
  }

  // The mean loss at the point itself.
  at(given, samples) {
    const values = samples.map((sample) => this.machine.put(given).put(sample).run().value(this.loss));
    return mean(values);
  }

  // Its two slopes, by the hand-written lines.
  slope(given, samples) {
    const { back, slopes } = this;
    const found = samples.map((sample) => {
      back.put(given).put(sample).run();
      return slopes.map((name) => back.value(name));
    });
    return slopes.map((_, k) => mean(found.map((of) => of[k])));
  }
}

// The lines that depend on a line.
function reached(steps, from) {
  const found = new Set([from]);
  for (const [, a, b, c, at] of steps) if ([a, b, c].some((of) => found.has(of))) found.add(at);
  return found;
}
