// The mistakes that a reader can plant: wrong lines, run by hand in place of the right ones.

import { partOf } from "../mathematics/mathematics.js";

// Mistakes as the page uses them, from what study/mistakes.py has written: one store of lines, and
// for each mistake the names that it changes.
export function plantable(told) {
  if (!told) return [];
  // Constants are text there: JSON has no NaN.
  const lines = told.lines.map(([operation, operands, value]) => [operation, operands, value && Number(value), null]);
  return told.list.map((mistake) => ({ ...mistake, program: programs(mistake.changes, told.right, lines) }));
}

// Returns a function from mistake and form of σ' to the program, built on first use.
function programs(changes, right, lines) {
  const made = {};
  return (form) => {
    const at = { ...right[form], ...changes[form] };
    return (made[form] ??= partOf({ lines, at }, Object.keys(at)));
  };
}

// Where a mistake stands: the quantities of which it changes the line itself, each with its edits, [right, wrong].
// The other numbers that it makes wrong are computed from these.
export function placesOf(study, mistake, form) {
  const changed = mistake.changes[form];
  const own = study.quantities.filter(({ name, step, depends_on }) => step > 0 && name in changed && !depends_on.some((of) => of in changed));
  const assigns = (name) => mistake.edits.filter(([, wrong]) => assigned(wrong).includes(name));
  return new Map(own.map(({ name }) => [name, assigns(name).length ? assigns(name) : mistake.edits]));
}

// The names on the left of lines of code.
export const assigned = (lines) => [...lines.matchAll(/^(\w+) = /gm)].map(([, name]) => name);

// The first step at which it stands.
export const stepOf = (study, mistake, form) =>
  Math.min(...[...placesOf(study, mistake, form).keys()].map((name) => study.quantity[name].step));

// The planted mistake, if this page can run it.
export const planted = (study, state) => study.mistakes.find((of) => of.slug === state.mistake && of.changes);
