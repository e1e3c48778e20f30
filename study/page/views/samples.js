// Whose pass it is, from which parameters, and in which form the hand lines have σ'.

import { element, set } from "../parts/dom.js";
import { choice } from "../parts/controls.js";

export function samples(place, store) {
  const { study } = store;
  const parts = [whose(store), from(store), forms(store)].filter(Boolean);
  place.append(...parts.map((part) => part.node));
  return (state, point) => {
    for (const part of parts) part.update(state, point);
  };
}

function whose(store) {
  const { samples } = store.study;
  const options = samples.map(({ key, name }) => [key, name]);
  if (options.length > 1) {
    return choice(store, "sample", "Whose pass", options, (key) => ({ sample: key, edits: withoutSample(store) }));
  }
  const node = element("p", { class: "note" }, samples[0].name);
  return { node, update() {} };
}

// Inputs that were set belong to the sample that was left; parameters stay.
function withoutSample(store) {
  const { parameters } = store.study;
  return Object.fromEntries(Object.entries(store.state.edits).filter(([name]) => parameters.includes(name)));
}

function from(store) {
  const { starts } = store.study;
  if (starts.length < 2) return undoing(store);
  const seed = element("input", {
    type: "number",
    min: 0,
    max: 4294967295,
    step: 1,
    "aria-label": "Seed of the random parameters",
    onchange: () => {
      if (seed.validity.valid && seed.value !== "") store.set({ seed: Number(seed.value), edits: {} });
    },
  });
  const options = [
    ["ones", "all weights 1"],
    ["random", "drawn at random"],
  ];
  const usual = starts.find((start) => start.seed !== null).seed;
  const kind = choice(store, "start", "Parameters", options, (key) => ({ seed: key === "ones" ? null : usual, edits: {} }), (state) =>
    state.seed === null ? "ones" : "random",
  );
  const label = element("label", { class: "seed" }, "seed ", seed);
  const moved = undoing(store);
  kind.node.append(label, moved.node);
  return {
    node: kind.node,
    update(state) {
      kind.update(state);
      set(label, { hidden: state.seed === null });
      moved.update(state);
      if (document.activeElement !== seed) seed.value = state.seed ?? usual;
    },
  };
}

// Back to the parameters and inputs that the page begins with.
function undoing(store) {
  const node = element("button", { type: "button", class: "quiet", onclick: () => store.set({ edits: {}, epoch: 0 }) }, "undo changes");
  function update(state) {
    // Its place is kept, so that nothing moves when the first weight does.
    node.style.visibility = Object.keys(state.edits).length || state.epoch ? "" : "hidden";
  }
  return { node, update };
}

function forms(store) {
  const names = { stable: "σ(z) σ(−z)", article: "f (1 − f)" };
  const options = Object.keys(store.study.programs).map((form) => [form, names[form]]);
  return options.length > 1 ? choice(store, "form", "σ′ by hand as", options, (form) => ({ form })) : null;
}
