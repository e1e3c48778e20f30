// The quiz's question, and the numbers that are hidden until it is answered.
//
// The question is the derivative by the chosen parameter at the current point; another point or
// parameter is another question.

import { AT_POINT } from "./point.js";

// The state that identifies a question.
const DEPENDS_ON = ["parameter", ...AT_POINT];

export const questionOf = (state) => JSON.stringify(DEPENDS_ON.map((key) => state[key]));

export const isAsking = (state) => state.quiz && state.revealed !== questionOf(state);

// Whether the number of a quantity may be shown: its step is done, and the quiz does not hide it.
export function knownTo(study, state) {
  const hidden = isAsking(state) ? hiddenBy(study, state) : new Set();
  return (name) => study.quantity[name].step <= state.step && !hidden.has(name);
}

// Hidden are the derivative, the same number under other names, its terms if it is a sum, and the
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
