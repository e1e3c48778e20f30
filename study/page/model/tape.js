// The tape of a pass: what reverse mode writes down on the way there and does on the way back, and
// forward mode on the same.

import { STEP } from "../mathematics/difference.js";
import { FLOATS } from "../mathematics/floats.js";
import { partsOf, slopesOf } from "../mathematics/mathematics.js";

const tapes = new WeakMap();

// The tape of the loss.
//
//   given, computed   [{at, name, number, operation, parts}, ...]: the line, the quantity's name if it has
//                     one, the number on the tape, and the lines that it is computed from, constants aside
//   of                the same by line
//   users             by line, the numbers of the entries that it is a part of
export function tapeOf(study, form) {
  const program = study.programs[form];
  if (!tapes.has(program)) tapes.set(program, recorded(program, study.loss));
  return tapes.get(program);
}

export function recorded(program, loss) {
  const end = program.at[loss];
  const isConstant = (at) => program.lines[at][0] === "constant";
  const needed = new Set([end]);
  for (const at of needed) for (const part of partsOf(program, at)) if (!isConstant(part)) needed.add(part);
  const names = new Map(Object.entries(program.at).reverse().map(([name, at]) => [at, name]));
  const [given, computed] = [[], []];
  for (const at of [...needed].sort((a, b) => a - b)) {
    const [operation, operands, , called] = program.lines[at];
    const all = partsOf(program, at);
    const parts = all.filter((of) => !isConstant(of));
    const entry = { at, name: names.get(at), operation: all === operands ? operation : called[0], parts };
    if (parts.length) computed.push({ ...entry, number: computed.length + 1 });
    else given.push(entry);
  }
  const users = new Map([...needed].map((at) => [at, []]));
  for (const { number, parts } of computed) for (const part of parts) users.get(part).push(number);
  return { program, end, given, computed, of: new Map([...given, ...computed].map((entry) => [entry.at, entry])), users };
}

// [[part, slope], ...] of an entry, at the results of all lines.
export const handed = ({ program }, { at, parts }, results) =>
  slopesOf(program, at, results).map((slope, k) => [partsOf(program, at)[k], slope]).filter(([part]) => parts.includes(part));

// The derivatives of the loss by the results of lines, after `count` entries have handed theirs back:
// the last first. With `isForgetful` what comes back is written over what was there.
export function backward(tape, results, count = tape.computed.length, isForgetful = false) {
  const slopes = new Map([[tape.end, 1]]);
  for (const entry of tape.computed.slice(tape.computed.length - count).reverse()) {
    const back = slopes.get(entry.at);
    for (const [part, slope] of handed(tape, entry, results)) {
      slopes.set(part, (isForgetful ? 0 : (slopes.get(part) ?? 0)) + back * slope);
    }
  }
  return slopes;
}

// The derivatives of all results by one parameter, carried along from entry to entry.
export function forward(tape, results, parameter) {
  const slopes = new Map(tape.given.map(({ at, name }) => [at, name === parameter ? 1 : 0]));
  for (const entry of tape.computed) {
    slopes.set(entry.at, handed(tape, entry, results).reduce((sum, [part, slope]) => sum + slope * slopes.get(part), 0));
  }
  return slopes;
}

// The derivative of the loss by the result of a line as a difference quotient: what follows is
// computed again with a little more, and a little less.
export function quotient({ program, end }, results, at) {
  const [above, below] = [STEP, -STEP].map((step) => {
    const moved = [...results];
    moved[at] += step;
    for (let line = at + 1; line <= end; line += 1) {
      const [operation, operands] = program.lines[line];
      if (operands.length) moved[line] = FLOATS[operation](...operands.map((of) => moved[of]));
    }
    return moved[end];
  });
  return (above - below) / (2 * STEP);
}

// The program in which two weights are one: the first two that are multiplied by the same input. Null
// where no two are.
export function shared(study, form) {
  const { program, computed, of } = tapeOf(study, form);
  const weightOf = new Map();
  for (const { at, parts } of computed) {
    const weight = parts.find((part) => study.parameters.includes(of.get(part).name));
    const input = parts.find((part) => study.drawing.inputs.includes(of.get(part).name));
    if (program.lines[at][0] !== "*" || weight === undefined || input === undefined) continue;
    if (!weightOf.has(input)) weightOf.set(input, weight);
    else return { weights: [weightOf.get(input), weight], program: merged(program, weightOf.get(input), weight) };
  }
  return null;
}

function merged(program, kept, gone) {
  const move = (lines) => lines.map((at) => (at === gone ? kept : at));
  const lines = program.lines.map(([operation, operands, value, called]) => [operation, move(operands), value, called && [called[0], move(called[1])]]);
  return { ...program, lines };
}

// How JAX names our operations, where it does not name them as we do.
const IN_JAX = { "+": "add", "-": "sub", "*": "mul", "/": "div", "**": "square", σ: "logistic" };

// What moves numbers about and computes none.
const MOVES = ["slice", "squeeze", "broadcast_in_dim", "reshape", "copy", "convert_element_type"];

// By line: the equations of JAX's program for an entry. One each, where between two named values both do
// the same operations; else all of them for the named one, as for the units of a layer.
export function linked({ jaxpr, loss }, { computed, users }) {
  const base = (name) => name?.replace(/\[.*/, "");
  const parts = new Set(jaxpr.lines.map((line) => line.part_of));
  const partOf = new Map(); // by number
  for (const { at, name, number } of [...computed].reverse()) {
    partOf.set(number, parts.has(base(name)) ? base(name) : (partOf.get(users.get(at)[0]) ?? loss));
  }
  const links = new Map();
  for (const part of parts) {
    const ours = computed.filter(({ number }) => partOf.get(number) === part);
    const theirs = jaxpr.lines.filter((line) => line.part_of === part);
    const working = theirs.filter(({ primitive }) => !MOVES.includes(primitive));
    const isSame = ours.map((of) => IN_JAX[of.operation] ?? of.operation).join() === working.map((of) => of.primitive).join();
    for (const [k, { at, name }] of ours.entries()) {
      if (isSame) links.set(at, working[k].text);
      else if (base(name) === part) links.set(at, theirs.map((line) => line.text).join("; "));
    }
  }
  return links;
}
