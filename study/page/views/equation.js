// One partial derivative as a product: each factor in symbols, in numbers, and checked.

import { parameterList } from "../parts/controls.js";
import { lights, nodesOf } from "../parts/lights.js";
import { element, replace, say, set } from "../parts/dom.js";
import { knownTo } from "../model/question.js";
import { signed } from "../mathematics/numbers.js";
import { witnesses } from "../parts/witnesses.js";

export function equation(place, store) {
  const { study } = store;
  const pin = element("button", { type: "button", title: "Stay with this parameter while others are pointed at", onclick: () => store.set({ pinned: !store.state.pinned }) }, "pin");
  const pick = parameterList(store, (parameter) => store.set({ parameter }), { "aria-label": "Parameter" });
  const bar = element("div", { class: "bar" }, element("label", {}, "Derivative by ", pick), pin);
  const says = element("p", { class: "says" });
  const go = element("button", { type: "button", onclick: () => store.set({ step: store.study.quantity[store.study.gradients[store.state.parameter]].step }) });
  const body = element("div", { class: "factors" });
  place.append(bar, says, go, body);
  const light = lights(body, store);
  let shown = null;
  let parts = [];

  function draw(name) {
    const gradient = study.quantity[study.gradients[name]];
    parts = [gradient.name, ...gradient.factors].map((of) => witnesses(study.quantity[of]));
    replace(body, parts.map(({ node }, k) => (k === 0 ? node : factor(node, gradient.factors[k - 1]))));
    shown = name;
  }

  // Pointing at a factor highlights the two quantities of its derivative in the network.
  function factor(node, name) {
    const light = () => store.set({ lit: nodesOf(study, name) });
    const dark = () => store.set({ lit: [] });
    const called = `Factor ${study.quantity[name].symbol}`;
    return element("div", { class: "factor", "data-place": name, tabindex: 0, role: "group", "aria-label": called, onfocus: light, onblur: dark }, node);
  }

  return (state, point) => {
    const name = state.pinned ? state.parameter : (state.pointed ?? state.parameter);
    if (name !== shown) draw(name);
    set(pin, { "aria-pressed": state.pinned });
    if (document.activeElement !== pick) pick.value = state.parameter;
    const isKnown = knownTo(study, state);
    for (const part of parts) part.update(point, isKnown);
    light(state);
    const { step } = study.quantity[study.gradients[state.parameter]];
    say(go, `go to step ${step}`);
    set(go, { hidden: step <= state.step });
    say(says, sentence(study, name, point, isKnown, state.step));
  };
}

// The meaning of the sign: the direction of the update.
function sentence(study, name, point, isKnown, step) {
  const gradient = study.gradients[name];
  if (!isKnown(gradient) && study.quantity[gradient].step <= step) return "The quiz asks for it.";
  if (!isKnown(gradient)) return `Step ${study.quantity[gradient].step} computes it.`;
  const digits = point.exact(gradient);
  if (digits === null) return `There is no exact value to tell by: ${point.unknown(gradient)}.`;
  const slope = Number(digits);
  const { symbol } = study.quantity[name];
  const way = slope > 0 ? "rises" : "falls";
  const loss = slope === 0 ? `to first order ${symbol} changes nothing` : `as ${symbol} grows, the loss ${way}`;
  return `${signed(slope)}: ${loss}; ${update(study, name, point, slope)}.`;
}

// What the hand-written update does. It may differ from the sign of the slope: the lines may have lost digits
// or contain a mistake, or the step may be too small to change the parameter's float64.
function update(study, name, point, slope) {
  const { symbol } = study.quantity[name];
  const [updated] = Object.entries(study.updates).find(([, [parameter]]) => parameter === name);
  const moved = point.by_hand[updated] - point.given[name];
  if (Number.isNaN(moved)) return "the update has no number";
  const step = point.given[study.rate] * point.by_hand[study.gradients[name]];
  const isTooSmall = step !== 0 && point.given[name] - step === point.given[name];
  const link = Math.sign(moved) === -Math.sign(slope) ? "so" : isTooSmall ? "but in float64" : "but by hand";
  if (moved === 0) return `${link} the update leaves ${symbol} as it is`;
  return `${link} the update ${moved < 0 ? "lowers" : "raises"} ${symbol}`;
}
