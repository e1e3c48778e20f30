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

// A function: the program of a mistake with a form of σ'. One that is never planted is never made.
function programs(changes, right, lines) {
  const made = {};
  return (form) => {
    const at = { ...right[form], ...changes[form] };
    return (made[form] ??= partOf({ lines, at }, Object.keys(at)));
  };
}

// The mistake that is planted, where it is one that this page can run.
export const planted = (study, state) => study.mistakes.find((of) => of.slug === state.mistake && of.changes);
