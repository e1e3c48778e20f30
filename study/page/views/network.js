// The network, always in view: inputs, units' values, and derivatives.

import { knownTo } from "../model/question.js";
import { replace, set, svg } from "../parts/dom.js";
import { arrow, between } from "./network/arrow.js";
import { edge } from "./network/edge.js";
import { input, lossNode } from "./network/ends.js";
import { unit } from "./network/unit.js";

// Rooms for a unit and its numbers, in pixels, from the largest: how many lines of numbers stand below it, how many
// digits they have, how wide a letter is. `bare` are numbers without their symbols.
const LARGE = { size: "large", radius: 36, height: 168, lines: 3, line: 19, digits: 4, letter: 9.6 };
const WIDE = { size: "wide", radius: 25, height: 128, lines: 3, line: 14, digits: 3, letter: 7.8 };
const SMALL = { size: "small", radius: 20, height: 106, lines: 3, line: 12.5, digits: 2, letter: 6.7, isTight: true };
// For layers with many units, so that the network stays in view; a bias shows only while it is chosen.
const DENSE = { size: "small", radius: 17, height: 66, lines: 1, line: 12.5, digits: 2, letter: 6.7 };
// Names alone: on a small screen while another view is read, and where numbers would meet.
const TINY = { size: "tiny", radius: 18, height: 44, lines: 0, line: 11, digits: 2, letter: 6 };

// The widths from which rooms are used, and the number of rows that is dense.
const FROM = { large: 900, wide: 460 };
const MANY = 5;

// The height of what stands above and below the network on the first screen of the pass.
const AROUND = 385;

// The largest network is not higher than this for each row.
const HIGHEST = 230;

// The width from which another view stands beside the network.
const BESIDE = 1024;

// Below this width the loss stands under the output, if there is only one.
const NARROW = 620;

export function network(place, store) {
  const { study } = store;
  const drawing = svg("svg", { class: "network", role: "group", "aria-label": "The network" });
  place.append(drawing);

  let parts = null;
  let fitted = "";
  function draw(width, room) {
    parts = drawn(store, width, room);
    set(drawing, { viewBox: `0 0 ${parts.width} ${parts.height}`, height: parts.height, "data-size": room.size });
    replace(drawing, parts.nodes);
  }
  function fit() {
    const width = drawing.clientWidth || 640;
    const room = roomFor(study, width, store.state);
    const wanted = JSON.stringify([width, room]);
    if (wanted === fitted) return;
    fitted = wanted;
    draw(width, room);
    parts.update(store.state, store.point);
  }
  new ResizeObserver(fit).observe(drawing);
  addEventListener("resize", fit);

  return (state, point, changed) => {
    if (!parts || changed.has("view") || changed.has("lesson")) fit();
    parts.update(state, point);
    set(drawing, { "data-phase": study.steps[state.step - 1]?.phase ?? null });
    if (changed.has("step") && !changed.has("view")) parts.flow();
  };
}

// The largest room in which the numbers of neighbouring units do not meet.
function roomFor(study, width, { view, lesson }) {
  const rows = rowsOf(study);
  if (innerWidth < BESIDE && view !== "pass") return TINY;
  const high = Math.min(HIGHEST, (innerHeight - AROUND) / rows);
  const isAlone = view === "pass" && lesson === null;
  const rooms = [
    isAlone && width >= FROM.large && high >= LARGE.height && { ...LARGE, height: high },
    width >= FROM.wide && WIDE,
    SMALL,
  ].filter(Boolean);
  const usable = rows >= MANY ? [DENSE] : rooms;
  const fits = (room) => room.letter * longest(study, room) <= columnsAt(study, width, room).apart;
  return [...usable, ...usable.map((room) => ({ ...room, bare: true }))].find(fits) ?? TINY;
}

// The letters of the longest text at a unit, as a rule: of what comes back to it, and of its own numbers.
function longest({ drawing: { layers }, quantity }, { digits, bare }) {
  const symbols = bare ? [""] : layers.flat().flatMap(({ z, a, b }) => [`∂L/∂${quantity[b ?? z].symbol} `, `${quantity[a].symbol} `]);
  return Math.max(...symbols.map((text) => text.length)) + digits + (bare ? 7 : 4);
}

// The network at the end of the pass, at a width, for paper: nothing in it can be chosen.
export function picture(store, show, width) {
  const { study, state, point } = store;
  const parts = drawn(store, width, rowsOf(study) >= MANY ? DENSE : WIDE);
  // After the last step nothing is highlighted.
  const after = { step: study.steps.length + 1, parameter: "", pointed: null, lit: [], quiz: false };
  parts.update({ ...state, show, ...after }, point);
  const words = `The network, ${show === "values" ? "its values and parameters" : "its derivatives"}`;
  const drawing = svg("svg", { class: "network", role: "img", "aria-label": words, viewBox: `0 0 ${parts.width} ${parts.height}` }, parts.nodes);
  for (const grip of drawing.querySelectorAll("[role=button]")) set(grip, { role: null, tabindex: null, "aria-label": null, "aria-pressed": null });
  return drawing;
}

// How the columns of units stand at a width, and the loss: under the output where it is narrow.
function columnsAt(study, width, room) {
  const { layers } = study.drawing;
  const isNarrow = width < NARROW && layers.at(-1).length === 1 && room !== TINY && !room.bare;
  const count = layers.length + (isNarrow ? 0 : 1);
  // The longest text of the last unit is that above it.
  const label = Math.max(...study.outputs.map((name) => study.quantity[name].symbol.length + 12)) * room.letter;
  const left = room.radius + 9;
  const right = isNarrow ? label / 2 : left;
  return { isNarrow, count, left, apart: (width - left - right) / count };
}

// The layout at a width: the centre of each value's node, and of the loss.
function places(study, width, room) {
  const { inputs, layers } = study.drawing;
  const height = rowsOf(study) * room.height;
  const { isNarrow, count: columns, left, apart } = columnsAt(study, width, room);
  const x = (column) => left + column * apart;
  const y = (row, count) => (height * (row + 0.5)) / count - (room.line - 2) * (room.lines > 1);
  const at = {};
  inputs.forEach((name, row) => (at[name] = [x(0), y(row, inputs.length)]));
  layers.forEach((layer, column) =>
    layer.forEach((unit, row) => {
      at[unit.z] = at[unit.a] = [x(column + 1), y(row, layer.length)];
    }),
  );
  const loss = isNarrow ? [x(columns), height - 1.3 * room.radius] : [x(columns), y(0, 1)];
  return { height, isNarrow, at, loss };
}

function rowsOf({ drawing: { inputs, layers } }) {
  return Math.max(2, inputs.length, ...layers.map((layer) => layer.length));
}

// Build the drawing at a width; returns it with a function that writes a point into it.
function drawn(store, width, room) {
  const { study } = store;
  const { inputs, layers, edges } = study.drawing;
  const { height, isNarrow, at, loss: end } = places(study, width, room);
  const lines = edges.map((of) => edge(store, of, at[of.from], at[of.to], room));
  const units = layers.flat().map((of) => unit(store, of, at[of.z], room));
  const given = inputs.map((name) => input(store, name, at[name], room));
  const loss = lossNode(store, end, isNarrow, room);
  const outs = study.outputs.map((name) => wire(study, name, at[name], end, room));
  const all = [...lines, ...units, ...given, ...outs, loss];
  const nodes = (of) => of.map(({ node }) => node);
  return {
    width,
    height,
    // Labels go on top of all lines, so that no edge crosses a number; weights come before biases in the
    // order of the tab key.
    nodes: [...nodes(outs), ...lines.map((of) => of.line), ...[...lines, ...outs].map((of) => of.arrow), ...units.map((of) => of.grounds), ...nodes(given), ...nodes(lines), ...nodes(units), loss.node],
    flow: () => [...lines, ...outs].forEach((of) => of.flow()),
    update: (state, point) => {
      const known = knownTo(study, state);
      const path = pathOf(study, state.pointed ?? state.parameter);
      const step = study.steps[state.step - 1];
      const show = shown(study, state);
      // After the last step, what the edges show.
      const isBack = step ? isOnTheWayBack(step) : show === "gradients";
      const look = { state: { ...state, show }, point, known, path, now: touched(study, state.step), step, isBack };
      for (const part of all) part.update(look);
    },
  };
}

// What the edges show: on the way back, unless the reader has chosen, the derivatives.
function shown(study, { show, step }) {
  if (show !== "auto") return show;
  return isOnTheWayBack(study.steps[step - 1]) ? "gradients" : "values";
}

const isOnTheWayBack = (step) => ["backward", "update"].includes(step?.phase);

// The values and parameters that a step is about.
function touched(study, step) {
  const names = study.steps[step - 1]?.names ?? [];
  return new Set(names.flatMap((name) => study.quantity[name].derivative ?? study.updates[name]?.[0] ?? name));
}

// From an output to the loss.
function wire({ loss, quantity }, name, [x1, y], [x2, y2], { radius, line, lines }) {
  // Where the loss stands under the output, below the numbers of that.
  const [start, end] = between([x1, x1 === x2 ? y + line * lines + 3 : y], [x2, y2], radius + 1);
  const node = svg("line", { class: "out", x1: start[0], y1: start[1], x2: end[0], y2: end[1] });
  const flow = arrow(start, end);
  return {
    node,
    arrow: flow.node,
    flow: flow.run,
    update({ step, known, isBack }) {
      const back = Object.values(quantity).find(({ derivative: d }) => d?.[0] === loss && d[1] === name);
      const isNow = Boolean(step?.names.includes(isBack ? back?.name : loss));
      flow.update(isBack ? "back" : "forward", isBack ? Boolean(back) && known(back.name) : known(loss), isNow);
      set(node, { "data-flow": isNow ? (isBack ? "back" : "forward") : null });
    },
  };
}

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
