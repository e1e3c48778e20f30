// One partial derivative as a product: each factor in symbols, in numbers, and with its witnesses.

import { element, replace, say, set } from "../parts/dom.js";
import { knownTo } from "../model/asked.js";
import { signed } from "../mathematics/numbers.js";
import { witnesses } from "../parts/witnesses.js";

export function equation(place, store) {
  const { study } = store;
  const pin = element("button", { type: "button", class: "chip", title: "Stay with this parameter while others are pointed at", onclick: () => store.set({ pinned: !store.state.pinned }) }, "pin");
  const pick = element(
    "select",
    { "aria-label": "Parameter", onchange: () => store.set({ parameter: pick.value }) },
    study.parameters.map((name) => element("option", { value: name }, study.quantity[name].symbol)),
  );
  const bar = element("div", { class: "bar" }, element("label", {}, "Derivative by ", pick), pin);
  const says = element("p", { class: "says" });
  const body = element("div", { class: "factors" });
  place.append(bar, says, body);
  let shown = null;
  let parts = [];

  function draw(name) {
    const gradient = study.quantity[study.gradients[name]];
    parts = [gradient.name, ...gradient.factors].map((of) => witnesses(study.quantity[of]));
    replace(body, parts.map(({ node }, k) => (k === 0 ? node : factor(node, gradient.factors[k - 1]))));
    shown = name;
  }

  // A factor that is pointed at lights what it is a derivative of, and by.
  function factor(node, name) {
    const [of, by] = study.quantity[name].derivative ?? [];
    const light = () => store.set({ lit: [of, by].filter(Boolean) });
    const dark = () => store.set({ lit: [] });
    return element(
      "div",
      { class: "factor", tabindex: 0, role: "group", "aria-label": `Factor ${study.quantity[name].symbol}`, onmouseenter: light, onfocus: light, onmouseleave: dark, onblur: dark },
      node,
    );
  }

  return (state, point) => {
    const name = state.pinned ? state.parameter : (state.pointed ?? state.parameter);
    if (name !== shown) draw(name);
    set(pin, { "aria-pressed": state.pinned });
    if (document.activeElement !== pick) pick.value = state.parameter;
    const isKnown = knownTo(study, state);
    for (const part of parts) part.update(point, isKnown);
    say(says, sentence(study, name, point, isKnown, state.step));
  };
}

// What the sign means: which way to go.
function sentence(study, name, point, isKnown, step) {
  const gradient = study.gradients[name];
  if (!isKnown(gradient) && study.quantity[gradient].step <= step) return "The quiz asks for it.";
  if (!isKnown(gradient)) return `Step ${study.quantity[gradient].step} computes it.`;
  const slope = point.by_hand[gradient];
  const symbol = study.quantity[name].symbol;
  if (slope === 0) return `0: to first order ${symbol} changes nothing.`;
  const [way, so] = slope > 0 ? ["rises", "lowers"] : ["falls", "raises"];
  return `${signed(slope)}: as ${symbol} grows, the loss ${way}; so the update ${so} ${symbol}.`;
}
