// Controls that several views share.

import { element, set } from "./dom.js";

// A row of buttons, of which one is pressed.
//
//   key      the part of the state that is chosen, unless `current` reads it
//   options  [[value, text], ...]
//   chosen   (value) -> what to set in the state
export function choice(store, key, label, options, chosen = (value) => ({ [key]: value }), current = (state) => state[key]) {
  const buttons = options.map(([value, text]) =>
    element("button", { type: "button", "data-value": value, onclick: () => store.set(chosen(value)) }, text),
  );
  const node = element("div", { class: "choice", role: "group", "aria-label": label, "data-choice": key }, element("span", { class: "label", "aria-hidden": "true" }, label), buttons);
  return {
    node,
    update(state) {
      for (const [k, button] of buttons.entries()) set(button, { "aria-pressed": options[k][0] === current(state) });
    },
  };
}

// A list of all parameters, of which one is chosen.
export function parameterList({ study }, choose, attributes = {}) {
  const options = study.parameters.map((name) => element("option", { value: name }, study.quantity[name].symbol));
  const node = element("select", { ...attributes, onchange: () => choose(node.value) }, options);
  return node;
}

// Four buttons that go through numbers from 0 to `last`: to the beginning, back, forward, to the end.
//
//   names  of the four
//   go     what to do with the new number
export function stepper(names, last, current, go) {
  const signs = ["|◀", "◀", "▶", "▶|"];
  const moves = [() => 0, (at) => Math.max(0, at - 1), (at) => Math.min(last, at + 1), () => last];
  const buttons = names.map((name, k) => {
    const onclick = () => go(moves[k](current()));
    return element("button", { type: "button", class: "step", "aria-label": name, title: name, onclick }, signs[k]);
  });
  return {
    buttons,
    // Not `disabled`: a button would lose the focus when it is pressed at an end.
    update: (at) => buttons.forEach((button, k) => set(button, { "aria-disabled": at === (k < 2 ? 0 : last) })),
  };
}
