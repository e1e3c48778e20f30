// Choose the example and the start parameters, and say who it is.

import { choice } from "../parts/controls.js";
import { element, say } from "../parts/dom.js";
import { startOf } from "../parts/start.js";
import { label, measuresOf, UNITS } from "../model/people.js";

export function samples(place, store) {
  const { study } = store;
  const parts = [whose(store), from(store), ...(study.people ? [inputs(store)] : [])];
  place.append(...parts.map((part) => part.node));
  return (state, point) => {
    for (const part of parts) part.update(state, point);
  };
}

function whose(store) {
  const { samples } = store.study;
  const options = samples.map(({ key, name }) => [key, name]);
  if (options.length > 1) return choice(store, "sample", "Whose pass", options);
  const node = element("p", { class: "note" }, samples[0].name);
  return { node, update() {} };
}

function from(store) {
  const moved = undoing(store);
  const start = startOf(store, "Parameters");
  if (!start) return moved;
  start.node.append(moved.node);
  return {
    node: start.node,
    update(state) {
      start.update(state);
      moved.update(state);
    },
  };
}

// What the inputs and the target are: x1 = 133 lb − 135 lb, and so on.
function inputs({ study: { people, samples, drawing, quantity } }) {
  const node = element("p", { class: "note" });
  const update = ({ sample }) => {
    const { name, given } = samples.find(({ key }) => key === sample);
    const measured = measuresOf(people.trained.find((person) => person.name === name));
    const said = drawing.inputs.map((of, k) => `${quantity[of].symbol} = ${measured[k]} − ${people.shift[k]} ${UNITS.lb.names[k]}`);
    const targets = Object.keys(given).filter((of) => !drawing.inputs.includes(of));
    say(node, `${name}: ${[...said, ...targets.map((of) => `${quantity[of].symbol} = ${given[of]} for ${label(given[of])}`)].join(", ")}`);
  };
  return { node, update };
}

// Undo the changes of the reader and the training.
function undoing(store) {
  const node = element("button", { type: "button", class: "quiet", onclick: () => store.set({ edits: {}, epoch: 0 }) }, "undo changes");
  function update(state) {
    const isNeeded = Object.keys(state.edits).length > 0 || state.epoch > 0;
    if (!isNeeded && node === document.activeElement) document.querySelector("#network [role=button]").focus();
    // Hidden, it keeps its space, so that nothing else moves.
    node.style.visibility = isNeeded ? "" : "hidden";
  }
  return { node, update };
}
