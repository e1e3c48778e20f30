// The network, always in view: inputs, units' values, and derivatives.

import { knownTo } from "../model/question.js";
import { replace, set, svg } from "../parts/dom.js";
import { edge } from "./network/edge.js";
import { input, lossNode } from "./network/ends.js";
import { unit } from "./network/unit.js";

// Room for a unit and its numbers, in pixels: how many lines of them stand below it, how many digits
// they have, and how wide a letter is.
const WIDE = { radius: 25, height: 128, lines: 3, line: 14, digits: 3, letter: 7.8 };
const SMALL = { radius: 20, height: 106, lines: 3, line: 12.5, digits: 2, letter: 6.7, below: 460 };
// For layers with many units, so that the network stays in view; a bias shows only while it is chosen.
const DENSE = { radius: 17, height: 66, lines: 1, line: 12.5, digits: 2, letter: 6.7, from: 5 };

// Below this width the loss stands under the output, if there is only one.
const NARROW = 620;

export function network(place, store) {
  const { study } = store;
  const drawing = svg("svg", { class: "network", role: "group", "aria-label": "The network" });
  place.append(drawing);

  let parts = null;
  let last = null;
  const draw = () => {
    parts = drawn(store, drawing.clientWidth || 640);
    set(drawing, { viewBox: `0 0 ${parts.width} ${parts.height}`, height: parts.height, "data-small": parts.room !== WIDE });
    replace(drawing, parts.nodes);
  };
  new ResizeObserver(() => {
    if (parts && Math.abs(parts.width - drawing.clientWidth) < 1) return;
    draw();
    if (last) parts.update(...last);
  }).observe(drawing);

  return (state, point) => {
    if (!parts) draw();
    last = [state, point];
    parts.update(state, point);
  };
}

// The network at the end of the pass, at a width, for paper: nothing in it can be chosen.
export function picture(store, show, width) {
  const { study, state, point } = store;
  const parts = drawn(store, width);
  // After the last step nothing is highlighted.
  const after = { step: study.steps.length + 1, parameter: "", pointed: null, lit: [], quiz: false };
  parts.update({ ...state, show, ...after }, point);
  const words = `The network, ${show === "values" ? "its values and parameters" : "its derivatives"}`;
  const drawing = svg("svg", { class: "network", role: "img", "aria-label": words, viewBox: `0 0 ${parts.width} ${parts.height}` }, parts.nodes);
  for (const grip of drawing.querySelectorAll("[role=button]")) set(grip, { role: null, tabindex: null, "aria-label": null, "aria-pressed": null });
  return drawing;
}

// The layout at a width: the centre of each value's node, and of the loss.
function places(study, width, room) {
  const { inputs, layers } = study.drawing;
  const height = rowsOf(study) * room.height;
  const isNarrow = width < NARROW && layers.at(-1).length === 1;
  const columns = layers.length + (isNarrow ? 0 : 1);
  // The longest text of the last unit is that above it.
  const label = Math.max(...study.outputs.map((name) => study.quantity[name].symbol.length + 12)) * room.letter;
  const margin = { left: 32, right: isNarrow ? label / 2 : 34 };
  const x = (column) => margin.left + (column * (width - margin.left - margin.right)) / columns;
  const y = (row, count) => (height * (row + 0.5)) / count - (room.line - 2) * (room.lines > 1);
  const at = {};
  inputs.forEach((name, row) => (at[name] = [x(0), y(row, inputs.length)]));
  layers.forEach((layer, column) =>
    layer.forEach((unit, row) => {
      at[unit.z] = at[unit.a] = [x(column + 1), y(row, layer.length)];
    }),
  );
  const loss = isNarrow ? [x(columns), height - 32] : [x(columns), y(0, 1)];
  return { height, isNarrow, at, loss };
}

function rowsOf({ drawing: { inputs, layers } }) {
  return Math.max(2, inputs.length, ...layers.map((layer) => layer.length));
}

// Build the drawing at a width; returns it with a function that writes a point into it.
function drawn(store, width) {
  const { study } = store;
  const { inputs, layers, edges } = study.drawing;
  const rows = rowsOf(study);
  const room = rows >= DENSE.from ? DENSE : width < SMALL.below ? SMALL : WIDE;
  const { height, isNarrow, at, loss: end } = places(study, width, room);
  const lines = edges.map((of) => edge(store, of, at[of.from], at[of.to], room));
  const units = layers.flat().map((of) => unit(store, of, at[of.z], room));
  const given = inputs.map((name) => input(study, name, at[name]));
  const loss = lossNode(study, end, isNarrow);
  const outs = study.outputs.map((name) => wire(at[name], end));
  const all = [...lines, ...units, ...given, loss];
  const nodes = (of) => of.map(({ node }) => node);
  return {
    width,
    height,
    room,
    // Labels go on top of all lines, so that no edge crosses a number; weights come before biases in the
    // order of the tab key.
    nodes: [...outs, ...lines.map((of) => of.line), ...nodes(given), ...nodes(lines), ...nodes(units), loss.node],
    update: (state, point) => {
      const known = knownTo(study, state);
      const path = pathOf(study, state.pointed ?? state.parameter);
      const look = { state: { ...state, show: shown(study, state) }, point, known, path, now: touched(study, state.step) };
      for (const part of all) part.update(look);
    },
  };
}

// What the edges show: on the way back, unless the reader has chosen, the derivatives.
function shown(study, { show, step }) {
  if (show !== "auto") return show;
  return ["backward", "update"].includes(study.steps[step - 1]?.phase) ? "gradients" : "values";
}

// The values and parameters that a step is about.
function touched(study, step) {
  const names = study.steps[step - 1]?.names ?? [];
  return new Set(names.flatMap((name) => study.quantity[name].derivative ?? study.updates[name]?.[0] ?? name));
}

const wire = ([x1, y1], [x2, y2]) => svg("line", { class: "out", x1, y1, x2, y2 });

// The units that a parameter reaches the loss through.
function pathOf(study, parameter) {
  const reached = new Set();
  const { edges, layers } = study.drawing;
  const units = layers.flat();
  const open = [...edges.filter((of) => of.parameter === parameter).map((of) => of.to), ...units.filter((of) => of.b === parameter).map((of) => of.z)];
  while (open.length) {
    const z = open.pop();
    if (reached.has(z)) continue;
    reached.add(z);
    const { a } = units.find((of) => of.z === z);
    open.push(...edges.filter((of) => of.from === a).map((of) => of.to));
  }
  return { parameter, reached, sources: new Set(units.filter((of) => reached.has(of.z)).map((of) => of.a)) };
}
