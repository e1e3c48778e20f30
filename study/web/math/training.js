// Training by the hand-written lines: gradient descent, one person after the other.

import { run } from "./program.js";

// The parameters at the start and after each round of all samples.
export function train(study, start, rate, rounds, samples = study.samples) {
  const names = Object.keys(start);
  const path = [start];
  let parameters = start;
  for (let round = 0; round < rounds; round += 1) {
    for (const { given } of samples) {
      const results = run(study.updates, { ...parameters, ...given, η: rate });
      parameters = Object.fromEntries(names.map((name) => [name, results[study.updates.at[`${name}_new`]]]));
    }
    path.push(parameters);
  }
  return path;
}
