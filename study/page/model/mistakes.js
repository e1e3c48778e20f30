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

// The planted mistake, if this page can run it.
export const planted = (study, state) => study.mistakes.find((of) => of.slug === state.mistake && of.changes);
