// Controls that several views have.

import { element, set } from "./dom.js";

// One of several, as a row of buttons of which one is pressed.
//
//   key      of the state, unless `current` says what is chosen
//   options  [[value, text], ...]
//   chosen   (value) -> what to set
export function choice(store, key, label, options, chosen = (value) => ({ [key]: value }), current = (state) => state[key]) {
  const buttons = options.map(([value, text]) =>
    element("button", { type: "button", class: "chip", "data-value": value, onclick: () => store.set(chosen(value)) }, text),
  );
  const node = element("div", { class: "choice", role: "group", "aria-label": label, "data-choice": key }, element("span", { class: "label", "aria-hidden": "true" }, label), buttons);
  return {
    node,
    update(state) {
      for (const [k, button] of buttons.entries()) set(button, { "aria-pressed": options[k][0] === current(state) });
    },
  };
}
