// The network, always in view: what goes in, what every unit makes of it, and what comes back.

import { replace, say, set, svg } from "../dom.js";
import { knownTo } from "../asked.js";
import { short, signed } from "../numbers.js";
import { edited } from "../store.js";

// Room for a unit with its three numbers, in pixels.
const UNIT = { radius: 25, height: 128 };

// Narrower than this the loss stands below the output, where there is one; and numbers are shorter.
const NARROW = 620;
const SMALL = 460;

// How far a pointer is drawn to move a parameter by 1.
const DRAG = 80;

// Gradients span twelve powers of ten: thickness is a matter of their logarithm. From which size an
// edge is thicker than a hair, and at which it is as thick as it gets.
const THICKNESS = { values: [0.01, 10], gradients: [1e-13, 1] };

// With more edges than these, only those that are chosen or pointed at have their labels.
const FEW = 12;

export function network(place, store) {
  const { study } = store;
  const drawing = svg("svg", { class: "network", role: "group", "aria-label": "The network" });
  place.append(drawing);

  let parts = null;
  let last = null;
  const draw = () => {
    parts = drawn(store, drawing.clientWidth || 640);
    set(drawing, { viewBox: `0 0 ${parts.width} ${parts.height}`, height: parts.height, "data-small": parts.isSmall });
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
  parts.update({ ...state, show, step: study.steps.length, parameter: "", pointed: null, lit: [] }, point);
  const words = `The network, ${show === "values" ? "its values and parameters" : "its derivatives"}`;
  const drawing = svg("svg", { class: "network", role: "img", "aria-label": words, viewBox: `0 0 ${parts.width} ${parts.height}` }, parts.nodes);
  for (const grip of drawing.querySelectorAll("[role=button]")) set(grip, { role: null, tabindex: null, "aria-label": null, "aria-pressed": null });
  return drawing;
}

// Where everything stands at a width: the middle of each value's node, and of the loss.
function places(study, width) {
  const { inputs, layers } = study.drawing;
  const rows = Math.max(2, inputs.length, ...layers.map((layer) => layer.length));
  const height = rows * UNIT.height;
  const isNarrow = width < NARROW && layers.at(-1).length === 1;
  const columns = layers.length + (isNarrow ? 0 : 1);
  const x = (column) => 32 + (column * (width - 32 - (isNarrow ? 48 : 34))) / columns;
  const y = (row, count) => (height * (row + 0.5)) / count - 12;
  const at = {};
  inputs.forEach((name, row) => (at[name] = [x(0), y(row, inputs.length)]));
  layers.forEach((layer, column) =>
    layer.forEach((unit, row) => {
      at[unit.z] = at[unit.a] = [x(column + 1), y(row, layer.length)];
    }),
  );
  const loss = isNarrow ? [x(columns), height - 32] : [x(columns), height / 2 - 12];
  return { height, isNarrow, at, loss };
}

// Everything in the drawing at a width, and what writes a point into it.
function drawn(store, width) {
  const { study } = store;
  const { inputs, layers, edges } = study.drawing;
  const { height, isNarrow, at, loss: end } = places(study, width);
  const isSmall = width < SMALL;
  const lines = edges.map((of) => edge(store, of, at[of.from], at[of.to], isSmall));
  const units = layers.flat().map((of) => unit(store, of, at[of.z], isSmall));
  const given = inputs.map((name) => input(study, name, at[name]));
  const loss = lossNode(study, end, isNarrow);
  const outs = study.outputs.map((name) => wire(at[name], end));
  const all = [...lines, ...units, ...given, loss];
  const nodes = (of) => of.map(({ node }) => node);
  return {
    width,
    height,
    isSmall,
    // Labels above all lines, or one edge would cross another one's number.
    nodes: [...outs, ...lines.map((of) => of.line), ...nodes(units), ...nodes(given), loss.node, ...nodes(lines)],
    update: (state, point) => {
      const known = knownTo(study, state);
      const path = pathOf(study, state.pointed ?? state.parameter);
      const look = { state, point, known, path, now: touched(study, state.step) };
      for (const part of all) part.update(look);
    },
  };
}

// The values and parameters that a step computes, or takes derivatives of and by, or moves.
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

function thickness(value, [hair, full]) {
  const share = Math.log(Math.abs(value) / hair) / Math.log(full / hair);
  return 1 + 6 * Math.min(1, Math.max(0, share || 0));
}

const signOf = (value) => (value > 0 ? "positive" : value < 0 ? "negative" : "zero");

function edge(store, { parameter, from, to }, [x1, y1], [x2, y2], isSmall) {
  const { study } = store;
  const { layers, edges } = study.drawing;
  const digits = isSmall ? 2 : 3;
  const line = svg("line", { class: "edge", x1: x1 + UNIT.radius, y1, x2: x2 - UNIT.radius, y2, "data-parameter": parameter });
  // Edges cross in the middle, unless they all lead to one unit.
  const spot = layers.some((layer) => layer.length === 1 && layer[0].z === to) ? 0.5 : 0.3;
  const [x, y] = [x1 + UNIT.radius + (x2 - x1 - 2 * UNIT.radius) * spot, y1 + (y2 - y1) * spot];
  const texts = [-3, 12].map((dy) => svg("text", { x, y: y + dy, class: "label" }));
  const back = svg("rect", { class: "label-back", x, y: y - 17, height: 34, rx: 4 });
  const node = handle(store, parameter, svg("g", {}, svg("line", { class: "hit", x1: x1 + UNIT.radius, y1, x2: x2 - UNIT.radius, y2 }), back, texts));
  const gradient = study.gradients[parameter];
  return {
    line,
    node,
    update({ state, point, path, known, now }) {
      const isGradient = state.show === "gradients";
      const value = isGradient ? point.by_hand[gradient] : point.given[parameter];
      const seen = !isGradient || known(gradient);
      set(line, {
        "data-sign": seen ? signOf(value) : "unknown",
        "stroke-width": seen ? thickness(value, THICKNESS[state.show]).toFixed(2) : 1,
        "data-now": now.has(parameter),
        "data-path": path.parameter === parameter || (path.sources.has(from) && path.reached.has(to)),
      });
      const labelled = edges.length <= FEW || state.parameter === parameter || state.pointed === parameter;
      for (const part of [...texts, back]) set(part, { visibility: labelled ? null : "hidden" });
      say(texts[0], study.quantity[isGradient ? gradient : parameter].symbol);
      say(texts[1], seen ? signed(value, digits) : "?");
      const wide = (isSmall ? 6.2 : 7) * Math.max(...texts.map((text) => text.textContent.length)) + 8;
      set(back, { x: x - wide / 2, width: wide });
      set(node, { "data-chosen": state.parameter === parameter, "data-now": now.has(parameter), "aria-pressed": state.parameter === parameter, "aria-label": spoken(study, parameter, point, known) });
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

function unit(store, { z, a, b }, [x, y], isSmall) {
  const { study } = store;
  const digits = isSmall ? 2 : 3;
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
    update({ state, point, path, known, now }) {
      set(circle, {
        "data-known": known(a),
        "data-now": now.has(z) || now.has(a),
        "data-lit": state.lit.includes(z) || state.lit.includes(a),
        "data-path": path.reached.has(z),
      });
      say(below[0], `${study.quantity[z].symbol} ${known(z) ? short(point.by_hand[z]) : "?"}`);
      say(below[1], z === a ? "" : `${study.quantity[a].symbol} ${known(a) ? short(point.by_hand[a]) : "?"}`);
      const back = gradient && known(gradient) ? point.by_hand[gradient] : null;
      const of = `∂L/∂${study.quantity[z].symbol}`;
      say(above, gradient ? `${of} ${back === null ? "?" : signed(back, digits)}` : "");
      set(above, { "data-sign": back === null ? "unknown" : signOf(back) });
      if (!b) return;
      const isGradient = state.show === "gradients";
      say(bias, isGradient ? `${study.quantity[gradient].symbol} ${back === null ? "?" : signed(back, digits)}` : `${study.quantity[b].symbol} ${signed(point.given[b])}`);
      set(grip, { "data-chosen": state.parameter === b, "data-now": now.has(b), "aria-pressed": state.parameter === b, "aria-label": spoken(study, b, point, known) });
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

function lossNode(study, [x, y], isNarrow) {
  const square = svg("rect", { class: "unit loss", x: x - 22, y: y - 22, width: 44, height: 44, rx: 8 });
  const beside = (dy) => (isNarrow ? { x: x - 28, y: y + dy / 3, "text-anchor": "end" } : { x, y: y + dy });
  const value = svg("text", { ...beside(40), class: "number" });
  const targets = Object.keys(study.samples[0].given).filter((name) => !study.drawing.inputs.includes(name));
  const target = targets.map((name, k) => [name, svg("text", { ...beside(-30 - 15 * k), class: "number" })]);
  const name = svg("text", { x, y: y + 4, class: "name" }, study.quantity[study.loss].symbol);
  return {
    node: svg("g", { "data-unit": study.loss }, square, name, value, target.map(([, node]) => node)),
    update({ state, point, known, now }) {
      const isKnown = known(study.loss);
      set(square, { "data-known": isKnown, "data-now": now.has(study.loss), "data-lit": state.lit.includes(study.loss) });
      say(value, isKnown ? short(point.by_hand[study.loss]) : "?");
      for (const [of, node] of target) say(node, `${study.quantity[of].symbol} ${short(point.given[of])}`);
    },
  };
}
