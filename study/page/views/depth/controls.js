// Which network the depth view shows: how it is drawn, or which image goes through the trained one.

import { short } from "../../mathematics/numbers.js";
import { ACTIVATIONS, DEPTHS, SCALES, WIDTHS } from "../../model/state.js";
import { choice } from "../../parts/controls.js";
import { element, say, set } from "../../parts/dom.js";

// What each activation is called.
export const NAMES = { sigmoid: "sigmoid", tanh: "tanh", relu: "ReLU" };

export function controls(store) {
  const networks = [[null, "drawn at random"], [0, "trained on digits"]];
  const which = choice(store, "digit", "Network", networks, undefined, ({ digit }) => (digit === null ? null : 0));
  const activation = choice(store, "act", "Activation", ACTIVATIONS.map((act) => [act, NAMES[act]]));
  const known = choice(store, "scale", "", [[1, "Xavier: 1"], [Math.SQRT2, "He: √2"]]);
  set(known.node, { "aria-label": "Known scales of the weights" });
  const sliders = [
    slider(store, "depth", "Layers", DEPTHS, 1),
    slider(store, "units", "Units in each", WIDTHS, 1),
    slider(store, "scale", "Scale of the weights", SCALES.map(Math.log10), 0.01, (at) => Number((10 ** at).toPrecision(3)), Math.log10),
  ];
  const another = element("button", { type: "button", onclick: () => store.set({ draw: next(store.state.draw) }) }, "Another draw");
  const [layers, units, scale] = sliders.map((of) => of.node);
  const rows = [[activation.node, another], [layers, units], [scale, known.node]];
  const drawn = element("div", {}, rows.map((row) => element("div", { class: "bar" }, row)));
  const images = gallery(store);
  return {
    node: element("div", {}, which.node, drawn, images.node),
    update(state) {
      for (const part of [which, activation, known, ...sliders, images]) part.update(state);
      set(drawn, { hidden: state.digit !== null });
      set(images.node, { hidden: state.digit === null });
    },
  };
}

// Seeds that NumPy takes begin anew behind the last.
const next = (seed) => (seed + 1) % 2 ** 32;

function slider(store, key, text, [min, max], step, valueAt = Number, at = Number) {
  const range = element("input", { type: "range", min, max, step, oninput: () => store.set({ [key]: valueAt(range.valueAsNumber) }) });
  const value = element("span", { class: "value", "aria-hidden": "true" });
  return {
    node: element("span", { class: "slider" }, element("label", {}, text, range), value),
    update(state) {
      const place = at(state[key]);
      if (document.activeElement !== range || Math.abs(range.valueAsNumber - place) > step) range.value = place;
      say(value, short(state[key], 3));
      set(range, { "aria-valuetext": short(state[key], 3) });
    },
  };
}

// The images as buttons, each as it was scanned: dark on light.
function gallery(store) {
  const { images } = store.study.digits;
  const buttons = images.map(({ digit, pixels }, at) => {
    const canvas = element("canvas", { width: 8, height: 8, "aria-hidden": "true" });
    const scan = new ImageData(8, 8);
    pixels.forEach((ink, k) => scan.data.set([0, 0, 0, (255 * ink) / 16], 4 * k));
    canvas.getContext("2d").putImageData(scan, 0, 0);
    const name = `${images.findIndex((of) => of.digit === digit) === at ? "A" : "Another"} ${digit}`;
    return element("button", { type: "button", "aria-label": name, onclick: () => store.set({ digit: at }) }, canvas);
  });
  return {
    node: element("div", { class: "images", role: "group", "aria-label": "Image" }, buttons),
    update: ({ digit }) => buttons.forEach((button, at) => set(button, { "aria-pressed": at === digit })),
  };
}
