// Where the parameters come from: all weights 1, or drawn at random by a seed.

import { element, set } from "./dom.js";
import { choice } from "./controls.js";
import { limits } from "../model/state.js";

// Null on a page that has only one start.
export function startOf(store, label) {
  const { study } = store;
  const usual = study.starts.find((start) => start.seed !== null)?.seed;
  if (usual === undefined) return null;
  const kind = choice(
    store,
    "start",
    label,
    [["ones", "all weights 1"], ["random", "random"]],
    (key) => ({ seed: key === "ones" ? null : (store.state.seed ?? usual), edits: {} }),
    (state) => (state.seed === null ? "ones" : "random"),
  );
  const [min, max] = limits(study).seed;
  const field = element("input", {
    type: "number",
    min,
    max,
    step: 1,
    "aria-label": "Seed of the random parameters",
    onchange: () => {
      if (field.validity.valid && field.value !== "") store.set({ seed: field.valueAsNumber, edits: {} });
    },
    onblur: () => (field.value = store.state.seed ?? usual), // discard what is not a seed
  });
  const seed = element("label", { class: "seed" }, "seed ", field);
  kind.node.append(seed);
  return {
    node: kind.node,
    update(state) {
      kind.update(state);
      set(seed, { hidden: state.seed === null });
      if (document.activeElement !== field) field.value = state.seed ?? usual;
    },
  };
}
