// A number in a formula lights what it belongs to in the network, and a node of the network its numbers.

import { set } from "./dom.js";

// The nodes that a quantity belongs to: both ends of a derivative, or itself.
export const nodesOf = (study, name) => study.quantity[name].derivative ?? [name];

// Returns what marks the numbers of the formulas in a place.
export function lights(place, store) {
  const { study } = store;
  const of = (event) => event.target.closest?.("[data-place]")?.getAttribute("data-place");
  const light = (event) => {
    const name = of(event);
    const lit = name ? nodesOf(study, name) : [];
    if (lit.join() !== store.state.lit.join()) store.set({ lit });
  };
  set(place, { onpointerover: light, onpointerleave: () => store.set({ lit: [] }) });
  return ({ lit }) => {
    for (const node of place.querySelectorAll("[data-place]")) {
      set(node, { "data-lit": lit.length > 0 && nodesOf(study, node.getAttribute("data-place")).some((name) => lit.includes(name)) });
    }
  };
}
