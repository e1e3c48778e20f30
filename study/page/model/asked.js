// What the quiz asks, and what stays out of sight until it is answered.
//
// It always asks for the derivative by the chosen parameter at the point where the reader stands: at
// another point, or of another parameter, it is another question.

import { AT_POINT } from "./point.js";

// A question is what it depends on.
const DEPENDS_ON = ["parameter", ...AT_POINT];

export const questionOf = (state) => JSON.stringify(DEPENDS_ON.map((key) => state[key]));

export const isAsking = (state) => state.quiz && state.revealed !== questionOf(state);

// Whether the number of a quantity may be seen: its step is done, and the quiz does not ask for it.
export function knownTo(study, state) {
  const hidden = isAsking(state) ? hiddenBy(study, state) : new Set();
  return (name) => study.quantity[name].step <= state.step && !hidden.has(name);
}

// The derivative, whatever is the same number by another name, the terms of one that is a sum, and the
// updated parameter.
function hiddenBy(study, { parameter, form }) {
  const { at } = study.programs[form];
  const gradient = study.gradients[parameter];
  const same = Object.keys(at).filter((name) => at[name] === at[gradient]);
  const updates = Object.entries(study.updates).filter(([, [of]]) => of === parameter);
  const { factors = [], depends_on = [] } = study.quantity[gradient] ?? {};
  const terms = factors.length ? [] : depends_on.filter((name) => study.quantity[name].step > 0);
  return new Set([...same, ...terms, ...updates.map(([name]) => name)]);
}
