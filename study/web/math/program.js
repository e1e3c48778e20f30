// Run the lines recorded by Python, forwards and backwards, in any arithmetic.
//
// Nothing here depends on the network or its derivatives. A program is a list of operations on the results of earlier
// ones, recorded from the hand-written lines: {lines: [[operation, operands, value, called], ...], at: {name: line}}.
// An arithmetic has each operation by its name, and `from` and `value`, which convert from a float64 and back.

import { FLOATS } from "./floats.js";

// The results of all lines, as numbers of the arithmetic, in a new list or in one that is used again. `given` has floats
// by name.
export function run({ lines, given: names }, given, arithmetic = FLOATS, results = new Array(lines.length)) {
  for (const [name, at] of names) results[at] = arithmetic.from(given[name]);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const operation = line[0];
    if (operation === "constant") results[at] = arithmetic.from(line[2]);
    else if (operation !== "given") results[at] = arithmetic[operation](results[line[1][0]], results[line[1][1]]);
  }
  return results;
}

// A program as Python wrote it, ready to run. A line may have a second name; it is given once.
export function prepared({ lines, at }) {
  const names = new Map(Object.entries(at).filter(([, line]) => lines[line][0] === "given").map(([name, line]) => [line, name]));
  return { lines, at, given: [...names].map(([line, name]) => [name, line]) };
}

// The part of a program that computes some of its names.
export function partOf({ lines, at }, names) {
  const needed = new Set();
  const open = names.map((name) => at[name]);
  while (open.length) {
    const line = open.pop();
    if (needed.has(line)) continue;
    needed.add(line);
    open.push(...lines[line][1]);
  }
  const order = [...needed].sort((a, b) => a - b);
  const place = new Map(order.map((from, to) => [from, to]));
  const moved = order.map((from) => [lines[from][0], lines[from][1].map((operand) => place.get(operand)), lines[from][2]]);
  return prepared({ lines: moved, at: Object.fromEntries(Object.entries(at).filter(([, line]) => place.has(line)).map(([name, line]) => [name, place.get(line)])) });
}

// The slopes of one result by each named one that it depends on, by reverse mode: from the last line back to the first.
// `results` are those of `run`, in the same arithmetic.
export function slopes(program, results, of, arithmetic = FLOATS) {
  const back = new Array(results.length).fill(null);
  back[program.at[of]] = arithmetic.from(1);
  for (let at = program.at[of]; at >= 0; at -= 1) {
    const [operation, operands] = program.lines[at];
    if (back[at] === null || !operands.length) continue;
    const shares = BACK[operation](back[at], operands.map((operand) => results[operand]), results[at], arithmetic);
    operands.forEach((operand, k) => (back[operand] = back[operand] === null ? shares[k] : arithmetic["+"](back[operand], shares[k])));
  }
  const reached = Object.entries(program.at).filter(([, line]) => back[line] !== null);
  return Object.fromEntries(reached.map(([name, line]) => [name, back[line]]));
}

// (what comes back, the operands, the result, the arithmetic) -> what goes on to each operand.
const BACK = {
  "+": (d) => [d, d],
  "-": (d, _, __, n) => [d, n.neg(d)],
  "*": (d, [a, b], _, n) => [n["*"](d, b), n["*"](d, a)],
  "/": (d, [, b], quotient, n) => [n["/"](d, b), n.neg(n["/"](n["*"](d, quotient), b))],
  // Exponents are constants of the lines.
  "**": (d, [a, b], _, n) => [n["*"](d, n["*"](b, n["**"](a, n["-"](b, n.from(1))))), n.from(0)],
  neg: (d, _, __, n) => [n.neg(d)],
  abs: (d, [a], _, n) => [n.value(a) < 0 ? n.neg(d) : d],
  exp: (d, _, result, n) => [n["*"](d, result)],
  // Beyond 0 the lines' numerator of σ, exp(min(z, 0)), is the constant 1.
  min: (d, [a, b], _, n) => (n.value(a) < n.value(b) ? [d, n.from(0)] : [n.from(0), d]),
};
