// Shared by edges and units of the network: dragging, and the sign.

import { set } from "../../parts/dom.js";
import { short, signed } from "../../mathematics/numbers.js";
import { edited } from "../../model/store.js";

// The drag distance that changes a parameter by 1.
const DRAG = 80;

export const signOf = (value) => (value > 0 ? "positive" : value < 0 ? "negative" : "zero");

// Of a text in letters; those of an exponent are small.
export const lengthOf = ({ textContent: text }) => text.length - 0.4 * text.replace(/[^⁰¹²³⁴-⁹⁻]/g, "").length;

// The attributes of a parameter's handle: whether it is chosen, whether the step is about it, and its numbers.
export function marks(study, parameter, look) {
  const { state, now } = look;
  const isChosen = state.parameter === parameter;
  return { "data-chosen": isChosen, "data-now": now.has(parameter), "aria-pressed": isChosen, "aria-label": spoken(study, parameter, look) };
}

const spoken = (study, parameter, { state: { step }, point, known }) => {
  const gradient = study.gradients[parameter];
  const isComputed = study.quantity[gradient].step <= step;
  const slope = known(gradient) ? signed(point.by_hand[gradient]) : isComputed ? "hidden by the quiz" : "not yet computed";
  return `${study.quantity[parameter].symbol} ${short(point.given[parameter])}, derivative ${slope}`;
};

// Pointing at a node lights the numbers that belong to it.
export const lighting = (store, names) => ({
  onpointerenter: () => store.set({ lit: names }),
  onpointerleave: () => store.set({ lit: [] }),
});

// Make a node a handle: it can be pointed at, chosen, and dragged left and right to change its parameter.
export function handle(store, parameter, node) {
  let grip = null;
  set(node, {
    class: "handle",
    role: "button",
    tabindex: 0,
    "data-parameter": parameter,
    onpointerenter: () => store.set({ pointed: parameter }),
    onpointerleave: () => store.set({ pointed: null }),
    onfocus: () => store.set({ pointed: parameter }),
    onblur: () => store.set({ pointed: null }),
    onclick: () => store.set({ parameter }),
    onkeydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      store.set({ parameter });
    },
    onpointerdown: (event) => {
      if (event.button !== 0) return;
      grip = { x: event.clientX, value: store.point.given[parameter] };
      node.setPointerCapture(event.pointerId);
      store.set({ parameter });
    },
    onpointermove: (event) => {
      if (!grip) return;
      const moved = Math.round((event.clientX - grip.x) / DRAG * 100) / 100;
      if (moved !== 0 || store.point.given[parameter] !== grip.value) edited(store, parameter, grip.value + moved);
    },
    onpointerup: () => (grip = null),
    onpointercancel: () => (grip = null),
    onlostpointercapture: () => (grip = null),
  });
  return node;
}
