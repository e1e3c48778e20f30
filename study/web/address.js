// The state in the address: #lesson=chain&w1=0.2&slope=up, #place=train&power=0. What it does not say, or says wrongly, is as
// a view begins.
//
// A state has the view's key, the guesses made so far by lesson, and what the view's own fields say.

import { PLACES, ROUTE, viewOf } from "./route.js";

// Guesses made before are kept, but by an address without any.
export function read(hash, before = {}) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const named = (views, key) => views.find((view) => view.key === key);
  const view = named(ROUTE, said.get("lesson")) ?? named(PLACES, said.get("place")) ?? ROUTE[0];
  const made = ROUTE.filter(({ key, guess }) => Object.hasOwn(guess.options, said.get(key))).map(({ key }) => [key, said.get(key)]);
  const guesses = made.length ? { ...before, ...Object.fromEntries(made) } : {};
  const isOpen = view.guess && !guesses[view.key];
  const own = Object.entries(view.fields).map(([name, field]) => {
    const value = field.read(said.get(name)) ?? field.otherwise;
    return [name, isOpen && value > field.until ? field.until : value];
  });
  return { view: view.key, guesses, ...Object.fromEntries(own) };
}

export function written({ view: key, guesses, ...own }) {
  const view = viewOf(key);
  const changed = Object.entries(own).filter(([name, value]) => value !== view.fields[name].otherwise);
  return `#${new URLSearchParams({ [ROUTE.includes(view) ? "lesson" : "place"]: key, ...Object.fromEntries(changed), ...guesses })}`;
}
