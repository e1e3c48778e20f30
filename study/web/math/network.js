// The network of the article, from the lines that Python recorded.

import { partOf, prepared, run, slopes } from "./program.js";

// What Python tells, ready to use: programs, quantities and samples by name.
export function opened(told) {
  const program = prepared(told.program);
  return {
    ...told,
    program,
    forward: partOf(program, ["L"]),
    sum: partOf(program, ["z3"]),
    updates: partOf(program, Object.keys(told.starts.ones).map((name) => `${name}_new`)),
    quantity: Object.fromEntries(told.quantities.map((of) => [of.name, of])),
    sample: Object.fromEntries(told.samples.map((of) => [of.key, of])),
  };
}

// The same network without σ at its end: z3 stands for ypred, whose slope by it is 1.
export function withoutEnd(study) {
  const { lines, at } = study.program;
  const changed = lines.map(([operation, operands, ...rest]) => [operation, operands.map((line) => (line === at.ypred ? at.z3 : line)), ...rest]);
  changed[at.dypred_dz3] = ["constant", [], 1];
  return opened({ ...study, program: { lines: changed, at: { ...at, ypred: at.z3 } } });
}

// The numbers that go in, for a person: parameters at a start, with changes.
export const givenFor = (study, person, start, changes = {}) => ({ η: study.eta, ...study.starts[start], ...study.sample[person].given, ...changes });

// Every number of the pass forwards, by its name.
export function passAt({ forward }, given) {
  const results = run(forward, given);
  return Object.fromEntries(Object.entries(forward.at).map(([name, line]) => [name, results[line]]));
}

// ∂L by every number of the pass, by its name.
export const slopesAt = ({ forward }, given) => slopes(forward, run(forward, given), "L");

// The mean of what a pass gives over the four people; `of` takes what goes in.
export function meanOver(study, parameters, of) {
  const all = study.samples.map(({ given }) => of({ ...parameters, ...given }));
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}

export const meanLoss = (study, parameters) => meanOver(study, parameters, (given) => passAt(study, given).L);
export const meanSlope = (study, parameters, name) => meanOver(study, parameters, (given) => slopesAt(study, given)[name]);
