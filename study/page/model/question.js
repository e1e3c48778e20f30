// The quiz's question, and the numbers that are hidden until it is answered.
//
// The question is of the derivative by the chosen parameter at the current point; another point, parameter or
// level is another question. All that is drawn at random is drawn from these, so that an address is a question.

import { byHand } from "../mathematics/mathematics.js";
import { RandomState } from "../mathematics/random.js";
import { assigned } from "./mistakes.js";
import { AT_POINT, evaluate } from "./point.js";

// The state that identifies a question.
const DEPENDS_ON = ["parameter", "level", ...AT_POINT];

export const questionOf = (state) => JSON.stringify(DEPENDS_ON.map((key) => state[key]));

export const isAsking = (state) => state.quiz && state.revealed !== questionOf(state);

// Whether the number of a quantity may be shown: its step is done, and the quiz does not hide it.
export function knownTo(study, state) {
  const hidden = isAsking(state) ? hiddenBy(study, state) : new Set();
  return (name) => study.quantity[name].step <= state.step && !hidden.has(name);
}

// ---- What is hidden

// Within 1 %, or the number in two digits: what counts as an answer.
export const isClose = (guess, right) =>
  Math.abs(guess - right) <= Math.abs(right) / 100 || guess === Number(right.toPrecision(2));

let last = { question: null, hidden: null };

// Hidden are the number that is asked for, its terms if it is a sum, every number of the pass that could be taken
// for the answer but for its sign, as equal weights have it, and the parameters that are updated with one of these.
function hiddenBy(study, state) {
  const question = questionOf(state);
  if (last.question !== question) last = { question, hidden: found(study, state) };
  return last.hidden;
}

function found(study, state) {
  if (state.level === "line") return new Set();
  const gradient = study.gradients[state.parameter];
  const asked = state.level === "factor" ? missingFactor(study, state) : gradient;
  const { factors = [], depends_on = [] } = study.quantity[gradient];
  const terms = factors.length ? [] : depends_on.filter((name) => study.quantity[name].step > 0);
  const hidden = new Set([gradient, ...terms]);
  const point = evaluate(study, state);
  const numbers = (name) => [point.by_hand[name], point.autodiff[name], trueValue(study, point, name)].map(Math.abs);
  const answers = asked ? numbers(asked).filter(Number.isFinite) : [];
  for (const { name, step } of study.quantities) {
    if (step > 0 && numbers(name).some((of) => answers.some((answer) => isClose(of, answer)))) hidden.add(name);
  }
  for (const [updated, [, , slope]] of Object.entries(study.updates)) if (hidden.has(slope)) hidden.add(updated);
  return hidden;
}

// The exact value as a float64; where there is none, not a number.
export function trueValue(study, point, name) {
  if (study.quantity[name].step === 0) return point.given[name];
  const digits = point.exact(name);
  return digits === null ? NaN : Number(digits);
}

// ---- What is drawn

// A whole number from 0 up to `count`, the same for the same text.
export function drawnFrom(text, count) {
  let hash = 2166136261; // FNV-1a
  for (const sign of text) hash = Math.imul(hash ^ sign.charCodeAt(0), 16777619);
  return new RandomState(hash >>> 0).uint32() % count;
}

// The factors of a quantity, skipping names that only pass a number on.
export function pieces(study, name) {
  const { factors } = study.quantity[name];
  return factors.length === 1 ? pieces(study, factors[0]) : { name, factors };
}

// What comes back to the sum z of a unit, ∂L/∂z: the product of the factors up to z, which the derivative by its bias
// has under names of its own. No step computes it where the lines multiply anew for each parameter.
//
//   factors  the names of its factors
//   value    null until all are known, and while the quiz hides the derivative
export function backTo(study, state, point, bias) {
  const gradient = study.gradients[bias];
  const factors = study.quantity[gradient].factors.map((name) => pieces(study, name).name);
  const isHidden = !knownTo(study, { ...state, step: Infinity })(gradient);
  const isKnown = !isHidden && factors.every(knownTo(study, state));
  return { factors, value: isKnown ? factors.reduce((product, name) => product * point.by_hand[name], 1) : null };
}

// Null where the derivative is no product.
export function missingFactor(study, state) {
  const { factors } = pieces(study, study.gradients[state.parameter]);
  const derived = factors.filter((name) => study.quantity[name].step > 0);
  return derived.length ? derived[drawnFrom(questionOf(state), derived.length)] : null;
}

// The missing factor among others, in the order of the pass.
export function choicesOf(study, state) {
  const right = missingFactor(study, state);
  const products = Object.values(study.gradients).map((name) => pieces(study, name).factors);
  const own = pieces(study, study.gradients[state.parameter]).factors;
  const others = [...new Set(products.flat())].filter((name) => study.quantity[name].step > 0 && !own.includes(name));
  const wrong = [];
  while (wrong.length < 3 && others.length) {
    wrong.push(...others.splice(drawnFrom(`${questionOf(state)}${wrong.length}`, others.length), 1));
  }
  return study.quantities.map(({ name }) => name).filter((name) => name === right || wrong.includes(name));
}

// The lines that lead to a derivative, one of them wrong: {mistake, lines}, each line {code, isWrong}; null where no
// mistake in one line shows in this derivative at this point.
export function wrongLine(study, state, point) {
  const gradient = study.gradients[state.parameter];
  const chain = chainTo(study, gradient);
  const right = trueValue(study, point, gradient);
  const fits = (mistake) =>
    mistake.changes &&
    mistake.part === "link" &&
    mistake.edits.every((edit) => edit.every((code) => assigned(code).length === 1 && !code.includes("\n"))) &&
    mistake.edits.some(([, wrong]) => chain.includes(assigned(wrong)[0])) &&
    !(Math.abs(wrongBy(study, state, point, mistake) - right) <= 1e-3 * Math.abs(right));
  const possible = study.mistakes.filter(fits);
  if (possible.length === 0 || !Number.isFinite(right)) return null;
  const mistake = possible[drawnFrom(questionOf(state), possible.length)];
  const edited = Object.fromEntries(mistake.edits.map(([, wrong]) => [assigned(wrong)[0], wrong]));
  const lines = chain.map((name) => ({ code: edited[name] ?? study.quantity[name].statement, isWrong: name in edited }));
  return { mistake, lines };
}

// The derivative that the lines with a mistake give.
export const wrongBy = (study, state, point, mistake) =>
  byHand(mistake.program(state.form), point.given)[study.gradients[state.parameter]];

// The quantities of the backward pass that one is computed from, and itself, in the order of the pass.
function chainTo(study, name) {
  const needed = new Set([name]);
  for (const { name: of, depends_on } of [...study.quantities].reverse()) {
    if (needed.has(of)) for (const other of depends_on) if (study.quantity[other].derivative) needed.add(other);
  }
  return study.quantities.map((of) => of.name).filter((of) => needed.has(of));
}
