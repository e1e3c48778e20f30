// The mean loss over two of the parameters: contours, the training's path, and where its next update goes.

import { Landscape } from "../mathematics/landscape.js";
import { short, signed } from "../mathematics/numbers.js";
import { AT_POINT, nextUpdate, path, samplesOf } from "../model/point.js";
import { edited } from "../model/store.js";
import { parameterList } from "../parts/controls.js";
import { element, say } from "../parts/dom.js";
import { drawnMap } from "./surface/map.js";

// How many of the other parameters, which are held, are listed.
const LISTED = 12;

// The parts of the state that the picture depends on.
const SHOWN = new Set([...AT_POINT, "axes"]);

export function surface(place, store) {
  const { study } = store;
  const picks = [0, 1].map((k) => axisPick(store, k));
  const [held, says] = [element("p", { class: "note held" }), element("p", { class: "says" })];
  const map = drawnMap(store);
  const sliders = [0, 1].map((k) => axisSlider(store, k));
  place.append(
    element("div", { class: "bar" }, picks.map((pick) => pick.node)),
    map.node,
    element("div", { class: "sliders" }, sliders.map((slider) => slider.node)),
    says,
    held,
    element("p", { class: "note" }, "The stronger the colour, the larger the loss. Click or drag to move the point. The path is that of the training, seen from above. On it the other parameters change too, so its loss equals the map's only where the others have these values."),
  );
  let landscape = null;
  let made = null;

  return (state, point, changed) => {
    if (![...changed].some((key) => SHOWN.has(key))) return;
    const names = pair(study, state);
    const wanted = [state.form, ...names].join();
    if (made !== wanted) landscape = new Landscape(study, study.programs[state.form], names);
    made = wanted;
    const samples = samplesOf(study, state);
    const [loss, slope] = [landscape.at(point.given, samples), landscape.slope(point.given, samples)];
    const { given } = point;
    const at = names.map((name) => given[name]);
    const next = nextUpdate(study, state, given);
    const seen = { landscape, names, samples, given, at, loss, slope, next, state };
    for (const part of [...picks, ...sliders]) part.update(seen);
    say(says, sentence(study, seen));
    say(held, heldFixed(study, seen));
    map.update(seen);
  };
}

// Two different parameters, even where the address names one twice; unless chosen, those that the training changes most.
function pair(study, state) {
  const [across, up] = state.axes ?? mostMoved(study, path(study, state));
  return across === up ? [across, study.parameters.find((name) => name !== across)] : [across, up];
}

function mostMoved({ parameters }, updates) {
  const far = (name) => Math.abs(updates.at(-1)[name] - updates[0][name]);
  const most = [...parameters].sort((a, b) => far(b) - far(a)).slice(0, 2);
  return parameters.filter((name) => most.includes(name));
}

function axisPick(store, k) {
  const pick = parameterList(store, (chosen) => {
    const axes = pair(store.study, store.state);
    const isSwap = chosen === axes[1 - k]; // the other axis has it: they change places
    store.set({ axes: axes.map((name, at) => (isSwap ? axes[1 - at] : at === k ? chosen : name)) });
  });
  return {
    node: element("label", {}, ["Across ", "Up "][k], pick),
    update({ names }) {
      if (pick.value !== names[k]) pick.value = names[k];
    },
  };
}

function axisSlider(store, k) {
  const name = element("span", { class: "name" });
  const move = () => edited(store, pair(store.study, store.state)[k], range.valueAsNumber);
  const range = element("input", { type: "range", step: 0.05, min: -5, max: 5, oninput: move });
  const value = element("output", {});
  return {
    node: element("label", { class: "parameter" }, name, range, value),
    update({ names, at }) {
      say(name, store.study.quantity[names[k]].symbol);
      if (document.activeElement !== range || range.valueAsNumber !== at[k]) range.value = at[k];
      say(value, short(at[k]));
    },
  };
}

const areNumbers = ({ loss, slope, at }) => [loss, ...slope, ...at].every(Number.isFinite);

function sentence(study, seen) {
  const { names, loss, slope, samples } = seen;
  const [x, y] = names.map((name) => study.quantity[name].symbol);
  if (!areNumbers(seen)) return "The loss or its slope is no finite number at this point.";
  const what = samples.length > 1 ? `The mean loss of all ${samples.length} samples` : "The loss";
  const slopes = `its slopes are ∂L/∂${x} = ${signed(slope[0])} and ∂L/∂${y} = ${signed(slope[1])}`;
  return `${what} here is ${short(loss)}; ${slopes}. ${ahead(seen)}`;
}

// What the arrow shows, or why there is none.
function ahead({ next, names, samples }) {
  if (!next) return "After the last epoch no update follows.";
  const which = samples.length > 1 ? `The next update, by ${next.sample.name} alone,` : "The next update";
  const moved = names.map((name) => next.moved[name]);
  if (!moved.every(Number.isFinite)) return `${which} has no number.`;
  if (moved.every((of) => of === 0)) return `${which} leaves the point where it is in this picture.`;
  return `${which} goes where the arrow points; its length says nothing.`;
}

function heldFixed(study, { names, given }) {
  const others = study.parameters.filter((name) => !names.includes(name));
  if (others.length === 0) return "No other parameter is held.";
  const value = (name) => `${study.quantity[name].symbol}\u00a0=\u00a0${short(given[name], 3)}`;
  const listed = others.slice(0, LISTED).map(value);
  const rest = others.length > LISTED ? `, and ${others.length - LISTED} more` : "";
  const who = others.length > 1 ? `The other ${others.length} are` : "The other one is";
  return `${who} held at ${listed.join(", ")}${rest}.`;
}
