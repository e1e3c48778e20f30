// The network's output over the plane of weight and height, with the people.

import { lineAt, regionAbove } from "../../mathematics/contour.js";
import { predictor } from "../../mathematics/mathematics.js";
import { short } from "../../mathematics/numbers.js";
import { areProbabilities, isOfLogits, meant } from "../../model/outputs.js";
import { MEASURES, UNITS, inputsOf, measuresOf } from "../../model/people.js";
import { element, replace, say, set, svg } from "../../parts/dom.js";
import { refined } from "../../parts/picture.js";
import { axes, clipped, inside, legend } from "../../parts/plot.js";
import { linear } from "../../parts/scales.js";
import { predictions } from "./predictions.js";

const HEIGHT = 320;

// Points of the grid across and up, while something is dragged and at rest. A trained network is nearly a step,
// which a coarse grid shows as a stair.
const [QUICK, FINE] = [[49, 37], [145, 109]];

// Lines that are drawn, and levels that the shade changes at.
const LINES = [0.1, 0.5, 0.9];
const SHADES = [0.5, 0.6, 0.7, 0.8, 0.9];

// The plane that is shown: it holds everybody.
const PLANE = [[112, 168], [56, 76]];
const WIDEST = [[40, 440], [24, 96]]; // how far it grows for the reader

// A network has a boundary to show if it maps two numbers to a probability.
export function hasBoundary(study) {
  return study.drawing.inputs.length === 2 && study.outputs.length === 1 && areProbabilities(study);
}

export function boundary(store) {
  const { study } = store;
  const whom = study.people ? people(study) : theSample(study);
  const networks = {};
  for (const [form, program] of Object.entries(study.programs)) networks[form] = network(study, program);
  const plane = planeOf(study, whom);
  const frame = axes();
  const above = SHADES.map(() => svg("path", { class: "side female" }));
  const below = SHADES.map(() => svg("path", { class: "side male" }));
  const lines = LINES.map((level) => svg("path", { class: "level", "data-level": level }));
  const within = clipped(...above, ...below, ...lines);
  const marks = svg("g", { "aria-hidden": "true" });
  const shown = refined(HEIGHT, draw, frame.node, within.node, marks);
  const symbol = study.quantity[study.outputs[0]].symbol;
  const named = isOfLogits(study) ? `σ(${symbol})` : symbol;
  const table = predictions(study, named);
  const note = element("p", { class: "note" });
  const node = element(
    "figure",
    { class: "boundary" },
    element("figcaption", {}, `What the network says: ${named} over the plane`),
    element(
      "div",
      { class: "sides" },
      element(
        "div",
        {},
        shown.node,
        legend(LINES.map((level) => [`level level-${String(level).replace(".", "")}`, `${named} = ${level}`])),
        legend(marksOf(study)),
        note,
      ),
      table.node,
    ),
  );
  let now = null;

  function draw(width, height, isFine) {
    const { state, chance } = now;
    const [across, up] = plane.around(state);
    const places = inside(width, height);
    const [x, y] = [linear(across, places.x), linear(up, places.y)];
    const [columns, rows] = isFine ? FINE : QUICK;
    const at = (of, k, count) => of.domain[0] + ((of.domain[1] - of.domain[0]) * k) / (count - 1);
    const values = new Float64Array(columns * rows);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        values[row * columns + column] = logOdds(chance([at(x, column, columns), at(y, row, rows)]));
      }
    }
    const place = (column, row) => [x(at(x, column, columns)), y(at(y, row, rows))];
    const others = values.map((value) => -value);
    SHADES.forEach((level, k) => {
      set(above[k], { d: regionAbove(values, columns, logOdds(level), place) });
      set(below[k], { d: regionAbove(others, columns, logOdds(level), place) });
    });
    LINES.forEach((level, k) => set(lines[k], { d: lineAt(values, columns, logOdds(level), place) }));
    const names = plane.names(state);
    frame.update(unitScale(x, 0, state, plane), unitScale(y, 1, state, plane), names[0], names[1]);
    within.update(x, y);
    const all = now.all.filter(({ measured }) => inDomain(x, measured[0]) && inDomain(y, measured[1]));
    say(note, remarks(study, values, now.all, all));
    replace(marks, all.map((of) => mark(of, x(of.measured[0]), y(of.measured[1]))));
    set(shown.drawing, { "data-fine": isFine });
  }

  return {
    node,
    update(state, point) {
      const chance = networks[state.form](point.given);
      const all = whom(state).map((of) => ({ ...of, chance: chance(of.measured) }));
      now = { state, chance, all };
      table.update(state, all);
      set(shown.drawing, { "aria-label": described(named, all) });
      if (!shown.isSeen()) say(note, ""); // what it says is known when the plane has been computed
      shown.redraw();
    },
  };
}

// (parameters) -> (two numbers as they are measured) -> the probability that the network gives.
function network(study, program) {
  const predict = predictor(study, program);
  return (params) => {
    const answer = predict(params);
    return (measured) => meant(study, answer(study.people ? inputsOf(study, measured) : measured))[0];
  };
}

// log p / (1 - p): between the points of the grid it is closer to a straight line than p.
const logOdds = (chance) => Math.min(FARTHEST, Math.max(-FARTHEST, Math.log(chance / (1 - chance))));

// Log odds are cut off here, where p is 0 or 1 in the picture.
const FARTHEST = 40;

const inDomain = ({ domain: [low, high] }, value) => low <= value && value <= high;

// Notes on what the picture does not show: only one side, or a reader outside of it.
function remarks(study, values, everybody, shown) {
  const [most, least] = study.people ? ["F", "M"] : ["0.5 or above", "below 0.5"];
  const isYou = (all) => all.some((of) => of.isYou);
  return [
    values.every((value) => value >= 0) && `Everywhere in this picture the network says ${most}.`,
    values.every((value) => value < 0) && `Everywhere in this picture the network says ${least}.`,
    isYou(everybody) && !isYou(shown) && "You are outside this picture.",
  ]
    .filter(Boolean)
    .join(" ");
}

// The same scale with ticks at round numbers of the reader's unit.
function unitScale(scale, k, state, plane) {
  const size = plane.sizes(state)[k];
  return size === 1
    ? scale
    : Object.assign(
        (value) => scale(value * size),
        linear(scale.domain.map((of) => of / size), scale.range),
      );
}

// Everybody that is shown: the four, those who are predicted, and the reader.
function people(study) {
  const { trained, newcomers } = study.people;
  const person = (of, isNew) => ({
    name: of.name,
    letter: of.name[0],
    measured: measuresOf(of),
    truth: of.gender,
    isNew,
  });
  const known = [...trained.map((of) => person(of, false)), ...newcomers.map((of) => person(of, true))];
  return ({ you }) =>
    you && you.every((of) => of > 0)
      ? [...known, { name: "you", letter: "you", measured: you, truth: null, isNew: true, isYou: true }]
      : known;
}

function theSample(study) {
  const [{ name, given }] = study.samples;
  const [target] = Object.keys(given).filter((of) => !study.drawing.inputs.includes(of));
  return ({ edits }) => {
    const values = { ...given, ...edits };
    const measured = study.drawing.inputs.map((of) => values[of]);
    return [{ name, letter: "x", measured, truth: short(values[target]), isNew: false }];
  };
}

// The plane of the two inputs: its range, and the names of its axes.
function planeOf(study, whom) {
  if (study.people) {
    return {
      names: ({ unit }) => UNITS[unit].names.map((of, k) => `${MEASURES[k]} (${of})`),
      sizes: ({ unit }) => UNITS[unit].sizes,
      around: ({ you }) =>
        PLANE.map(([low, high], k) => {
          if (!you || !(you[k] >= WIDEST[k][0] && you[k] <= WIDEST[k][1])) return [low, high];
          const room = (high - low) / 20;
          return [Math.min(low, you[k] - room), Math.max(high, you[k] + room)];
        }),
    };
  }
  const names = study.drawing.inputs;
  return {
    names: () => names.map((of) => study.quantity[of].symbol),
    sizes: () => [1, 1],
    around: (state) => whom(state)[0].measured.map((of) => [of - roomAround(of), of + roomAround(of)]),
  };
}

// Enough to differ from it as a float64, however large it is.
const roomAround = (value) => Math.max(3, Math.abs(value) / 4);

// The legend of colours and marks.
function marksOf(study) {
  const [most, least] = study.people ? ["the network says F", "it says M"] : ["0.5 or above", "below 0.5"];
  const sides = [["side female area", `blue: ${most}`], ["side male area", `orange: ${least}`]];
  return study.people
    ? [
        ...sides,
        ["person circle", "is F"],
        ["person square", "is M"],
        ["person diamond", "not known"],
      ]
    : sides;
}

// F a circle, M a square, unknown a diamond; the letter says who it is.
function mark({ letter, truth, isNew, isYou }, x, y) {
  const shape = isNew
    ? svg("path", { class: "person unknown", d: `M${x} ${y - 12}L${x + 12} ${y}L${x} ${y + 12}L${x - 12} ${y}Z` })
    : truth === "M"
      ? svg("rect", { class: "person male", x: x - 9, y: y - 9, width: 18, height: 18 })
      : svg("circle", { class: "person female", cx: x, cy: y, r: 10 });
  const text = isYou
    ? svg("text", { class: "you", x, y: y + 25, "text-anchor": "middle" }, letter)
    : svg("text", { x, y: y + 4.5, "text-anchor": "middle" }, letter);
  return svg("g", {}, shape, text);
}

// Who lies on which side of the line.
function described(named, all) {
  const those = (which) =>
    all
      .filter(({ chance }) => which(chance))
      .map(({ name }) => name)
      .join(", ");
  const [above, below, neither] = [(chance) => chance >= 0.5, (chance) => chance < 0.5, Number.isNaN].map(those);
  const sides = `At or above 0.5: ${above || "nobody"}. Below: ${below || "nobody"}.`;
  const lost = neither && ` No number for ${neither}.`;
  return `Plane with the lines ${named} = ${LINES.join(", ")}. ${sides}${lost}`;
}
