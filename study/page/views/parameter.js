// The chosen parameter as a slider and a number.

import { general } from "../mathematics/numbers.js";
import { element, say, set } from "../parts/dom.js";
import { edited } from "../model/store.js";

export function parameter(place, store) {
  const slider = parameterSlider(store);
  const legend = element("p", { class: "note" }, "Solid is +, dashed is −; thickness goes with the logarithm of the size. Drag an edge left or right to change its weight.");
  place.append(slider.node, legend);
  return slider.update;
}

function parameterSlider(store) {
  const { study } = store;
  const change = (value) => {
    if (Number.isFinite(value)) edited(store, store.state.parameter, value);
  };
  const range = element("input", { type: "range", step: 0.01, min: -5, max: 5, oninput: () => change(range.valueAsNumber) });
  const number = element("input", { type: "number", step: "any", onchange: () => change(number.valueAsNumber) });
  const name = element("span", { class: "name" });
  const node = element("div", { class: "parameter" }, name, range, number);
  return {
    node,
    update(state, point) {
      const value = point.given[state.parameter];
      const symbol = study.quantity[state.parameter].symbol;
      say(name, symbol);
      set(range, { "aria-label": `${symbol}, from −5 to 5` });
      set(number, { "aria-label": `${symbol}, any number` });
      if (document.activeElement !== range || range.valueAsNumber !== value) range.value = value;
      if (document.activeElement !== number) number.value = general(value, 6);
    },
  };
}
