// The network, always in view: what goes in, what every unit makes of it, and what comes back.

import { element, replace, say, set, svg } from "../dom.js";
import { short, signed } from "../numbers.js";
import { edited } from "../store.js";
import { choice } from "./controls.js";

// Room for a unit with its three numbers, in pixels.
const UNIT = { radius: 25, height: 128 };

// How far a pointer is drawn to move a parameter by 1.
const DRAG = 80;

// Gradients span twelve powers of ten: thickness is a matter of their logarithm.
const THIN = 1e-13;

export function network(place, store) {
  const { study } = store;
  const drawing = svg("svg", { class: "network", role: "group", "aria-label": "The network" });
  const show = choice(store, "show", "Edges show", [["values", "values"], ["gradients", "gradients"]]);
  const slider = parameterSlider(store);
  place.append(drawing, element("div", { class: "bar" }, show.node, slider.node));

  let parts = null;
  let last = null;
  const draw = () => {
    parts = drawn(store, drawing.clientWidth || 640);
    set(drawing, { viewBox: `0 0 ${parts.width} ${parts.height}`, height: parts.height });
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
    show.update(state);
    slider.update(state, point);
  };
}

// Everything in the drawing at a width, and what writes a point into it.
function drawn(store, width) {
  const { study } = store;
  const { inputs, layers, edges } = study.drawing;
  const rows = Math.max(inputs.length, ...layers.map((layer) => layer.length));
  const height = Math.max(2, rows) * UNIT.height;
  const x = (column) => 34 + (column * (width - 34 - 62)) / (layers.length + 1) + (column > 0 ? 12 : 0);
  const y = (row, count) => (height * (row + 0.5)) / count - 12;
  const at = {};
  inputs.forEach((name, row) => (at[name] = [x(0), y(row, inputs.length)]));
  layers.forEach((layer, column) =>
    layer.forEach((unit, row) => {
      at[unit.z] = at[unit.a] = [x(column + 1), y(row, layer.length)];
    }),
  );
  const end = [x(layers.length + 1), height / 2 - 12];
  const lines = edges.map((of, k) => edge(store, of, at[of.from], at[of.to], k));
  const units = layers.flat().map((of) => unit(store, of, at[of.z]));
  const given = inputs.map((name) => input(study, name, at[name]));
  const loss = lossNode(study, end);
  const outs = study.outputs.map((name) => svg("line", { class: "out", x1: at[name][0] + UNIT.radius, y1: at[name][1], x2: end[0] - 20, y2: end[1] }));
  const all = [...lines, ...units, ...given, loss];
  return {
    width,
    height,
    // Labels above all lines, or one edge would cross another one's number.
    nodes: [...outs, ...lines.map((of) => of.line), ...units.map((of) => of.node), ...given.map((of) => of.node), loss.node, ...lines.map((of) => of.node)],
    update: (state, point) => {
      const look = { state, point, path: pathOf(study, state.pointed ?? state.parameter), known: (name) => study.quantity[name].step <= state.step };
      for (const part of all) part.update(look);
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

const thickness = (value, largest) => {
  const size = Math.abs(value);
  if (!(size > THIN)) return 1;
  return 1 + (7 * Math.log(size / THIN)) / Math.log(Math.max(largest, 1) / THIN);
};

const signOf = (value) => (value > 0 ? "positive" : value < 0 ? "negative" : "zero");

function edge(store, { parameter, from, to }, [x1, y1], [x2, y2], k) {
  const { study } = store;
  const line = svg("line", { class: "edge", x1: x1 + UNIT.radius, y1, x2: x2 - UNIT.radius, y2, "data-parameter": parameter });
  const spot = [0.3, 0.3][k % 2];
  const [x, y] = [x1 + UNIT.radius + (x2 - x1 - 2 * UNIT.radius) * spot, y1 + (y2 - y1) * spot];
  const label = svg("text", { x, y: y - 6, class: "label" });
  const back = svg("rect", { class: "label-back", x: x - 40, y: y - 20, width: 80, height: 20, rx: 4 });
  const node = handle(store, parameter, svg("g", {}, svg("line", { class: "hit", x1: x1 + UNIT.radius, y1, x2: x2 - UNIT.radius, y2 }), back, label));
  const gradient = study.gradients[parameter];
  return {
    line,
    node,
    update({ state, point, path, known }) {
      const isGradient = state.show === "gradients";
      const value = isGradient ? point.by_hand[gradient] : point.given[parameter];
      const seen = !isGradient || known(gradient);
      set(line, {
        "data-sign": seen ? signOf(value) : "unknown",
        "stroke-width": seen ? thickness(value, isGradient ? 1 : 10).toFixed(2) : 1,
        "data-path": path.parameter === parameter || (path.sources.has(from) && path.reached.has(to)),
      });
      const name = isGradient ? `∂${study.quantity[parameter].symbol}` : study.quantity[parameter].symbol;
      say(label, `${name} ${seen ? (isGradient ? signed(value) : signed(value, 4)) : "?"}`);
      const wide = 7.2 * label.textContent.length + 8;
      set(back, { x: x - wide / 2, width: wide });
      set(node, { "data-chosen": state.parameter === parameter, "aria-pressed": state.parameter === parameter, "aria-label": spoken(study, parameter, point, known) });
    },
  };
}

const spoken = (study, parameter, point, known) => {
  const gradient = study.gradients[parameter];
  const slope = known(gradient) ? signed(point.by_hand[gradient]) : "not yet computed";
  return `${study.quantity[parameter].symbol} ${short(point.given[parameter])}, derivative ${slope}`;
};

// What can be pointed at, chosen, and drawn left and right to move a parameter.
function handle(store, parameter, node) {
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
  });
  return node;
}

function unit(store, { z, a, b }, [x, y]) {
  const { study } = store;
  const gradient = b && study.gradients[b];
  const circle = svg("circle", { cx: x, cy: y, r: UNIT.radius, class: "unit" });
  const above = svg("text", { x, y: y - UNIT.radius - 8, class: "gradient" });
  const name = svg("text", { x, y: y + 4, class: "name" }, study.quantity[a].symbol);
  const below = [0, 1].map((k) => svg("text", { x, y: y + UNIT.radius + 15 + 14 * k, class: "number" }));
  const bias = svg("text", { x, y: y + UNIT.radius + 15 + 28, class: "number bias" });
  const back = svg("rect", { class: "label-back", x: x - 46, y: y + UNIT.radius + 30, width: 92, height: 17, rx: 4 });
  const grip = b ? handle(store, b, svg("g", {}, back, bias)) : bias;
  const node = svg("g", { "data-unit": z }, circle, name, above, below, grip);
  return {
    node,
    update({ state, point, path, known }) {
      const now = study.steps[state.step - 1]?.names ?? [];
      set(circle, {
        "data-known": known(a),
        "data-now": now.includes(z) || now.includes(a),
        "data-lit": state.lit.includes(z) || state.lit.includes(a),
        "data-path": path.reached.has(z),
      });
      say(below[0], `${study.quantity[z].symbol} ${known(z) ? short(point.by_hand[z]) : "?"}`);
      say(below[1], z === a ? "" : `${study.quantity[a].symbol} ${known(a) ? short(point.by_hand[a]) : "?"}`);
      const back = gradient && known(gradient) ? point.by_hand[gradient] : null;
      say(above, gradient ? `∂L/∂${study.quantity[z].symbol} ${back === null ? "?" : signed(back)}` : "");
      set(above, { "data-sign": back === null ? "unknown" : signOf(back) });
      if (!b) return;
      const isGradient = state.show === "gradients";
      say(bias, isGradient ? `∂${study.quantity[b].symbol} ${back === null ? "?" : signed(back)}` : `${study.quantity[b].symbol} ${signed(point.given[b], 4)}`);
      set(grip, { "data-chosen": state.parameter === b, "aria-pressed": state.parameter === b, "aria-label": spoken(study, b, point, known) });
    },
  };
}

function input(study, name, [x, y]) {
  const square = svg("rect", { class: "unit input", x: x - 25, y: y - 20, width: 50, height: 40, rx: 8 });
  const text = svg("text", { x, y: y - 1, class: "name" }, study.quantity[name].symbol);
  const value = svg("text", { x, y: y + 14, class: "number" });
  return {
    node: svg("g", { "data-input": name }, square, text, value),
    update({ state, point }) {
      set(square, { "data-lit": state.lit.includes(name) });
      say(value, short(point.given[name]));
    },
  };
}

function lossNode(study, [x, y]) {
  const square = svg("rect", { class: "unit loss", x: x - 22, y: y - 22, width: 44, height: 44, rx: 8 });
  const value = svg("text", { x, y: y + 40, class: "number" });
  const targets = Object.keys(study.samples[0].given).filter((name) => !study.drawing.inputs.includes(name));
  const target = targets.map((name, k) => [name, svg("text", { x, y: y - 30 - 15 * k, class: "number" })]);
  return {
    node: svg("g", { "data-unit": study.loss }, square, svg("text", { x, y: y + 4, class: "name" }, study.quantity[study.loss].symbol), value, target.map(([, node]) => node)),
    update({ state, point, known }) {
      const now = study.steps[state.step - 1]?.names ?? [];
      set(square, { "data-known": known(study.loss), "data-now": now.includes(study.loss), "data-lit": state.lit.includes(study.loss) });
      say(value, known(study.loss) ? short(point.by_hand[study.loss]) : "?");
      for (const [name, node] of target) say(node, `${study.quantity[name].symbol} ${short(point.given[name])}`);
    },
  };
}

// The chosen parameter as a slider and a number.
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
      if (document.activeElement !== number) number.value = value;
    },
  };
}
