// The state in the address: #lesson=chain&w1=0.2&slope=up. What it does not say, or says wrongly, is as a lesson begins.
//
// A state has the lesson's key, the guesses made so far by lesson, and what the lesson's own fields say.

import { lessonOf, ROUTE } from "./route.js";

export function read(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const lesson = lessonOf(said.get("lesson")) ?? ROUTE[0];
  const guesses = {};
  for (const { key, guess } of ROUTE) if (said.get(key) in guess.options) guesses[key] = said.get(key);
  const own = Object.entries(lesson.fields).map(([name, field]) => [name, field.read(said.get(name)) ?? field.otherwise]);
  return { lesson: lesson.key, guesses, ...Object.fromEntries(own) };
}

export function written({ lesson, guesses, ...own }) {
  const { fields } = lessonOf(lesson);
  const changed = Object.entries(own).filter(([name, value]) => value !== fields[name].otherwise);
  return `#${new URLSearchParams({ lesson, ...Object.fromEntries(changed), ...guesses })}`;
}
