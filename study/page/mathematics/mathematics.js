// The page's mathematics: run the lines recorded by Python forwards and backwards, and train.
//
// Nothing here depends on the network or its derivatives. A program is a list of operations on the
// results of earlier ones, recorded by Python from the hand-written lines. The page's autodiff is
// reverse mode, which needs only the derivative of each operation.

import { DOUBLED } from "./doubled.js";
import { FLOATS, FLUSHED } from "./floats.js";

// Run a program on given numbers.
//
//   program  {lines: [[operation, operands, value, called], ...], at: {name: line}}
//   given    numbers by name
// Returns the results of all lines, as numbers of the arithmetic.
export function run(program, given, arithmetic = FLOATS) {
  const results = new Array(program.lines.length);
  for (const name of program.given) results[program.at[name]] = arithmetic.from(given[name]);
  for (let at = 0; at < results.length; at += 1) {
    const [operation, operands, value] = program.lines[at];
    if (operation === "given") continue;
    results[at] =
      operation === "constant"
        ? arithmetic.from(value)
        : arithmetic[operation](results[operands[0]], results[operands[1]], results[operands[2]]);
  }
  return results;
}

// Convert a program from Python's JSON to the page's form.
export function prepared(written) {
  // A line may have a second name: of a parameter that an update leaves as it is. It is put in once.
  const given = new Map();
  for (const [name, at] of Object.entries(written.at)) {
    if (written.lines[at][0] === "given" && !given.has(at)) given.set(at, name);
  }
  return { ...written, given: [...given.values()] };
}

// The part of a program that computes some of its names.
export function partOf(program, names) {
  const needed = new Set();
  const open = names.map((name) => program.at[name]);
  while (open.length) {
    const at = open.pop();
    if (needed.has(at)) continue;
    needed.add(at);
    open.push(...program.lines[at][1]);
  }
  const order = [...needed].sort((a, b) => a - b);
  const place = new Map(order.map((from, to) => [from, to]));
  const move = (operands) => operands.map((operand) => place.get(operand));
  const lines = order.map((from) => {
    const [operation, operands, value, called] = program.lines[from];
    const kept = called && called[1].every((operand) => place.has(operand));
    return [operation, move(operands), value, kept ? [called[0], move(called[1])] : null];
  });
  const at = {};
  for (const [name, line] of Object.entries(program.at)) if (place.has(line)) at[name] = place.get(line);
  return prepared({ lines, at });
}

// σ'(z) by the value of σ, as `jax.nn.sigmoid` has it: where that is close to 1, digits are lost.
const RULES_OF_JAX = {
  σ: (z, a, n) => n["*"](a, n["-"](n.from(1), a)),
  softplus: (z, _, n) => sigmoid(z, n),
};

// The same without the subtraction, e / (1 + e)² with e = e^-|z|.
const EXACT_RULES = {
  σ(z, a, n) {
    const e = n.exp(n.neg(n.abs(z)));
    const one = n["+"](n.from(1), e);
    return n["/"](e, n["*"](one, one));
  },
  softplus: (z, _, n) => sigmoid(z, n),
};

// In any arithmetic: e^z / (1 + e^z), with no power that overflows.
export function sigmoid(z, n) {
  const [up, down] = [n.exp(n.min(z, n.from(0))), n.exp(n.neg(n.abs(z)))];
  return n["/"](up, n["+"](n.from(1), down));
}

// The derivatives of one result by all others, from the last line back to the first.
//
// Where the arguments of a maximum or minimum are equal, or for |0|, the derivative is not unique: NaN.
function reverse(program, results, of, arithmetic, rules) {
  const n = arithmetic;
  const zero = n.from(0);
  const adjoint = new Array(results.length).fill(null);
  const give = (at, share) => {
    adjoint[at] = adjoint[at] === null ? share : n["+"](adjoint[at], share);
  };
  const start = program.at[of];
  adjoint[start] = n.from(1);
  for (let at = start; at >= 0; at -= 1) {
    const back = adjoint[at];
    if (back === null) continue;
    const [operation, operands, , called] = program.lines[at];
    if (called && rules[called[0]]) {
      const [argument] = called[1];
      give(argument, n["*"](back, rules[called[0]](results[argument], results[at], n)));
    } else if (operands.length) {
      const shares = BACK[operation](back, operands.map((operand) => results[operand]), results[at], n);
      operands.forEach((operand, k) => give(operand, shares[k]));
    }
  }
  return adjoint.map((value) => (value === null ? zero : value));
}

// The lines that a line's slopes go to: a function with a rule of its own, σ say, is one operation.
export function partsOf({ lines }, at) {
  const [, operands, , called] = lines[at];
  return called && called[0] in RULES_OF_JAX ? called[1] : operands;
}

// The derivatives of a line's result by its parts, by autodiff's rules.
export function slopesOf(program, at, results) {
  const [operation, , , called] = program.lines[at];
  const values = partsOf(program, at).map((part) => results[part]);
  const rule = RULES_OF_JAX[called?.[0]];
  return rule ? [rule(...values, results[at], FLOATS)] : BACK[operation](1, values, results[at], FLOATS);
}

const one_over = (n, x) => n["/"](n.from(1), x);
const undecided = (n) => n.from(NaN);

// (what comes back, the operands, the result, the arithmetic) -> what goes on to each operand.
const BACK = {
  "+": (d) => [d, d],
  "-": (d, _, __, n) => [d, n.neg(d)],
  "*": (d, [a, b], _, n) => [n["*"](d, b), n["*"](d, a)],
  "/": (d, [, b], quotient, n) => {
    const first = n["/"](d, b);
    return [first, n.neg(n["*"](first, quotient))];
  },
  "**": (d, [a, b], _, n) => [
    n["*"](d, n["*"](b, n["**"](a, n["-"](b, n.from(1))))),
    n.from(0), // exponents are constants of the lines
  ],
  neg: (d, _, __, n) => [n.neg(d)],
  abs: (d, [a], _, n) => [n.value(a) === 0 ? undecided(n) : n.value(a) < 0 ? n.neg(d) : d],
  exp: (d, _, result, n) => [n["*"](d, result)],
  log: (d, [a], _, n) => [n["/"](d, a)],
  log1p: (d, [a], _, n) => [n["/"](d, n["+"](n.from(1), a))],
  // 1 - tanh² as 1 / cosh², which has no subtraction: 4 e / (1 + e)² with e = e^-2|z|.
  tanh: (d, [a], _, n) => {
    const e = n.exp(n["*"](n.from(-2), n.abs(a)));
    const whole = n["+"](n.from(1), e);
    return [n["*"](d, n["/"](n["*"](n.from(4), e), n["*"](whole, whole)))];
  },
  erfc: (d, [a], _, n) => {
    const steep = n.exp(n.neg(n["*"](a, a)));
    return [n["*"](d, n["*"](n["*"](n.from(-2), steep), one_over(n, n.rootOfPi)))];
  },
  max: (d, [a, b], _, n) => chosen(d, n, n.value(n["-"](a, b))),
  // The lines subtract the largest number of a row, which has no effect, so its derivative is 0.
  largest: (d, [a, b], _, n) => (n.value(n["-"](a, b)) >= 0 ? [d, n.from(0)] : [n.from(0), d]),
  min: (d, [a, b], _, n) => chosen(d, n, n.value(n["-"](b, a))),
  ">": (_, __, ___, n) => [n.from(0), n.from(0)],
  "≥": (_, __, ___, n) => [n.from(0), n.from(0)],
  sign: (_, [a], __, n) => [n.value(a) === 0 ? undecided(n) : n.from(0)],
  where: (d, [truth], _, n) => (n.value(truth) !== 0 ? [n.from(0), d, n.from(0)] : [n.from(0), n.from(0), d]),
};

// All goes to the first operand if `ahead` is above 0, to the second if it is below.
function chosen(d, n, ahead) {
  if (ahead === 0) return [undecided(n), undecided(n)];
  return ahead > 0 ? [d, n.from(0)] : [n.from(0), d];
}

// Every quantity by the page's autodiff: values, derivatives, updated parameters.
function differentiated(study, program, given, arithmetic, rules) {
  const results = run(program, given, arithmetic);
  const backs = {};
  const values = {};
  for (const quantity of study.quantities) {
    const { name, derivative, kind } = quantity;
    if (derivative) {
      const [of, by] = derivative;
      backs[of] ??= reverse(program, results, of, arithmetic, rules);
      values[name] = backs[of][program.at[by]];
    } else if (kind === "update") {
      const [parameter, rate, gradient] = study.updates[name];
      const step = arithmetic["*"](arithmetic.from(given[rate]), values[gradient]);
      values[name] = arithmetic["-"](arithmetic.from(given[parameter]), step);
    } else {
      values[name] = results[program.at[name]];
    }
  }
  return values;
}

export function byAutodiff(study, program, given) {
  return differentiated(study, program, given, FLUSHED, RULES_OF_JAX);
}

// The same in 106 bits and by rules that lose none: pairs of float64, whose sum is the number.
export function exactly(study, program, given) {
  return differentiated(study, program, given, DOUBLED, EXACT_RULES);
}

// The derivatives of the loss by the parameters alone, by their names: by autodiff's rules in any
// arithmetic, or exactly.
export function lossSlopes(study, program, given, arithmetic = FLUSHED, isExact = false) {
  const results = run(program, given, arithmetic);
  const back = reverse(program, results, study.loss, arithmetic, isExact ? EXACT_RULES : RULES_OF_JAX);
  return Object.fromEntries(study.parameters.map((name) => [name, back[program.at[name]]]));
}

// The quantities by the hand-written lines, by name.
export function byHand(program, given) {
  const results = run(program, given);
  const values = {};
  for (const [name, at] of Object.entries(program.at)) values[name] = results[at];
  return values;
}

// Apply the steps of a machine to its results.
export function apply(steps, results) {
  for (let k = 0; k < steps.length; k += 1) {
    const [operation, a, b, c, at] = steps[k];
    results[at] = operation(results[a], results[b], results[c]);
  }
}

// A program for repeated runs on float64: inputs keep their values until they are set again.
export class Machine {
  constructor(program) {
    this.at = program.at;
    this.results = new Float64Array(program.lines.length);
    this.steps = [];
    program.lines.forEach(([operation, operands, value], at) => {
      if (operation === "constant") this.results[at] = value;
      else if (operation !== "given") this.steps.push([FLOATS[operation], operands[0], operands[1] ?? operands[0], operands[2] ?? operands[0], at]);
    });
  }

  put(given) {
    for (const name in given) if (name in this.at) this.results[this.at[name]] = given[name];
    return this;
  }

  run() {
    apply(this.steps, this.results);
    return this;
  }

  value(name) {
    return this.results[this.at[name]];
  }
}

// A training with parameters beyond this has diverged, as in `compare.limits`.
export const LARGEST = 1e100;

// A training by the hand-written lines: the parameters before and after each update.
//
//   samples  [{name: number}, ...]: what to put in for each
//   order    the index of the sample of each update
// Stops before the first parameter that is too large or NaN: `end` is "large" or "no number".
export function train(study, program, start, samples, order, rate) {
  const machine = new Machine(partOf(program, Object.keys(study.updates)));
  machine.put({ ...start, [study.rate]: rate });
  const { at, results } = machine;
  const moves = Object.entries(study.updates).map(([name, [parameter]]) => ({ parameter, from: at[name], to: at[parameter] }));
  const path = [start];
  for (const sample of order) {
    machine.put(samples[sample]).run();
    const params = {};
    for (const { parameter, from } of moves) params[parameter] = results[from];
    const values = Object.values(params);
    if (values.some(Number.isNaN)) return { path, end: "no number" };
    if (!values.every((value) => Math.abs(value) <= LARGEST)) return { path, end: "large" };
    path.push(params);
    for (const { from, to } of moves) results[to] = results[from];
  }
  return { path, end: null };
}

// Returns a function from parameters to each sample's loss. `program` is run forward only.
export function losses(study, program, samples) {
  const machine = new Machine(partOf(program, [study.loss]));
  return (params) => {
    machine.put(params);
    return samples.map((sample) => machine.put(sample).run().value(study.loss));
  };
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// The outputs of the network: a function of parameters that gives one of inputs, in the network's order.
export function predictor(study, program) {
  const part = partOf(program, study.outputs);
  return (params) => {
    const machine = new Machine(part).put(params);
    const places = study.drawing.inputs.map((name) => part.at[name]);
    return (inputs) => {
      inputs.forEach((value, k) => (machine.results[places[k]] = value));
      machine.run();
      return study.outputs.map((name) => machine.value(name));
    };
  };
}
