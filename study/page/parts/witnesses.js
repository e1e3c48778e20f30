// One quantity by hand, by autodiff, and exactly, digits aligned.

import { element, replace, say, set } from "./dom.js";
import { editOf } from "./edit.js";
import { fill, inPieces, math } from "./formula.js";
import { against, cut, inUlps, parted, plain, short, written } from "../mathematics/numbers.js";

const SIDES = [["by_hand", "by hand"], ["autodiff", "autodiff"]];

// Enough digits to tell any float64 from the exact number.
const DIGITS = 20;

// A given quantity has only its value. Returns a node and `update(point, isKnown)`, which shows the numbers of a point.
export function witnesses(quantity) {
  return quantity.step === 0 ? given(quantity) : computed(quantity);
}

function given(quantity) {
  const value = element("span", { class: "value" });
  const node = element("div", { class: "quantity", "data-quantity": quantity.name }, element("div", { class: "equation" }, math(quantity.mathml.symbol), " = ", value));
  return { node, update: (point) => say(value, written(plain(point.given[quantity.name]))) };
}

function computed(quantity) {
  const places = quantity.mathml.places && element("span", { class: "places" }, inPieces(math(quantity.mathml.places)));
  const equation = element(
    "div",
    { class: "equation" },
    math(quantity.mathml.symbol),
    element("span", {}, " = "),
    quantity.mathml.formula ? element("span", {}, inPieces(math(quantity.mathml.formula))) : null,
    places && element("span", {}, " = "),
    places,
  );
  const worked = quantity.mathml.worked && math(quantity.mathml.worked);
  if (worked) equation.append(element("span", {}, " = "), worked);
  const result = element("span", { class: "result" });
  const mark = element("span", { class: "mark" });
  const equals = element("span", {});
  const link = element("span", {});
  equation.append(link, " ", element("span", { class: "equals" }, equals, result, " ", mark));
  const rows = SIDES.map(([side, name]) => row(side, name));
  const exact = row("exact", "exactly");
  const table = element(
    "table",
    { class: "witnesses" },
    element("caption", { class: "visually-hidden" }, `${quantity.symbol} by hand, by autodiff, and exactly`),
    element("tbody", {}, [...rows, exact].map((of) => of.node)),
  );
  const planted = element("div", { class: "planted-line", hidden: true });
  const node = element("div", { class: "quantity", "data-quantity": quantity.name }, equation, planted, table);
  let edits = null;

  function update(point, isKnown = () => true) {
    const known = isKnown(quantity.name);
    set(node, { "data-known": known });
    for (const formula of [places, worked].filter(Boolean)) fill(formula, point.by_hand, isKnown);
    const truth = known ? point.exact(quantity.name) : null;
    const texts = SIDES.map(([side]) => (known ? against(point[side][quantity.name], truth, point.ulps[side][quantity.name] ?? null) : null));
    for (const [k, [side]] of SIDES.entries()) {
      rows[k].show(texts[k], known ? distance(point.ulps[side][quantity.name] ?? null) : "");
    }
    const isFine = !known || (truth !== null && texts.every((text) => text.isKept));
    set(node, { "data-fine": isFine });
    say(result, known ? short(point.by_hand[quantity.name], 5) : "?");
    say(mark, known ? (isFine ? "✓" : "≠") : "");
    set(mark, { title: isFine ? "by hand, autodiff and exact agree to the last digits" : "the three below differ" });
    // The line that is wrong, where a mistake is planted in it.
    const wrong = point.wrong?.get(quantity.name) ?? null;
    say(link, wrong ? ", but by the wrong line" : "");
    say(equals, wrong ? "" : "= ");
    if (wrong !== edits) replace(planted, wrong ? editOf(wrong) : []);
    set(planted, { hidden: !wrong });
    edits = wrong;
    const digits = truth === null ? { right: point.unknown(quantity.name) } : parted(cut(truth, DIGITS));
    exact.show(known ? digits : null, source(known, point));
  }

  return { node, update };
}

const distance = (ulps) => (ulps === null ? "" : `${inUlps(ulps)} ulp${inUlps(ulps) === "1" ? "" : "s"}`);

const source = (known, point) => (known ? (point.certified ? "certified" : "106 bits") : "");

function row(side, name) {
  const numbers = numberRow({ "data-side": side }, ["right", "lost", "rest"]);
  set(numbers.value, { "data-side": side });
  say(numbers.name, name);
  return { node: numbers.node, show: (text, ulps) => numbers.show(text ?? { right: "?" }, ulps) };
}

const LOST = "digits that are lost: the exact number has others here";

// A table row: a name, a number in parts that look different, and a note.
export function numberRow(attributes, parts) {
  const name = element("th", { scope: "row" });
  const spans = parts.map((part) => element(part === "lost" ? "del" : "span", { class: part }));
  const noted = element("td", { class: "ulps" });
  const value = element("td", { class: "value" }, spans);
  const node = element("tr", attributes, name, value, noted);
  function show(text, note) {
    spans.forEach((span, k) => say(span, text[parts[k]] ?? ""));
    set(spans[parts.indexOf("lost")], { title: text.lost ? LOST : null, hidden: !text.lost });
    say(noted, note);
  }
  return { name, value, node, show };
}

// A changing list of quantities: existing nodes are reused, new ones are created.
export function witnessList(place, study) {
  const made = new Map();
  let shown = [];
  return (names, point, isKnown) => {
    if (names.join() !== shown.join()) {
      for (const name of names) if (!made.has(name)) made.set(name, witnesses(study.quantity[name]));
      replace(place, names.map((name) => made.get(name).node));
      shown = names;
    }
    for (const name of names) made.get(name).update(point, isKnown);
  };
}
