// The numbers of a nudge: both losses digit under digit, and the slopes side by side.

import { relativeError } from "../../mathematics/difference.js";
import { against, cut, parted, raised, signed, ulp, written } from "../../mathematics/numbers.js";
import { element, say } from "../../parts/dom.js";
import { share } from "./measured.js";

// Both losses digit under digit, and the slope that they give, beside the slopes that they should.
export function numbers() {
  const losses = table("The two losses", ["above", "below", "difference"]);
  const slopes = table("The slope", ["secant", "by_hand", "autodiff", "exact"]);
  const node = element("div", { class: "tables" }, losses.node, slopes.node);
  function update(seen) {
    const { symbol, above, below, exact, text } = seen;
    const same = shared(above, below);
    losses.show("above", `L(${symbol} + h)`, same[0]);
    losses.show("below", `L(${symbol} − h)`, same[1]);
    const difference = above - below;
    const part = difference === 0 ? "right" : "differs";
    losses.show("difference", "difference", { [part]: Number.isFinite(difference) ? signed(difference, 4) : "–" });
    const ulps = exact === null ? null : Math.abs(seen.slope - exact) / ulp(exact);
    slope("secant", `secant, h = 10${raised(-seen.exponent)}`, seen.slope, ulps);
    slope("by_hand", "by hand", seen.sides.by_hand, seen.ulps.by_hand);
    slope("autodiff", "autodiff", seen.sides.autodiff, seen.ulps.autodiff);
    const right = text === null ? { right: seen.unknown } : parted(cut(text, 17));
    slopes.show("exact", "exact", right, seen.certified ? "certified" : "106 bits");

    function slope(key, name, value, distance) {
      if (!Number.isFinite(value)) return slopes.show(key, name, { right: "no finite number" });
      const error = exact ? `error ${share(relativeError(value, exact))}` : "";
      slopes.show(key, name, against(value, text, distance), error);
    }
  }
  return { node, update };
}

// Rows of a name, a number in parts that look different, and a note.
const PARTS = ["right", "differs", "lost", "rest"];

function table(caption, keys) {
  const rows = Object.fromEntries(keys.map((key) => [key, row(key)]));
  return {
    node: element(
      "table",
      { class: "witnesses" },
      element("caption", {}, caption),
      element("tbody", {}, Object.values(rows).map((of) => of.node)),
    ),
    show(key, name, parts, note = "") {
      const of = rows[key];
      say(of.name, name);
      for (const part of PARTS) say(of[part], parts[part] ?? "");
      say(of.note, note);
    },
  };
}

function row(key) {
  const name = element("th", { scope: "row" });
  const span = (part) => element(part === "lost" ? "del" : "span", { class: part });
  const parts = Object.fromEntries(PARTS.map((part) => [part, span(part)]));
  const note = element("td", { class: "ulps" });
  const value = element("td", { class: "value" }, Object.values(parts));
  return { name, ...parts, note, node: element("tr", { "data-row": key }, name, value, note) };
}

// Two numbers in as many digits as a float64 may need: what both have in front, and the rest.
function shared(...values) {
  if (!values.every(Number.isFinite)) return values.map(() => ({ right: "no finite number" }));
  const texts = values.map((value) => written(value.toPrecision(17)));
  let same = 0;
  while (same < texts[0].length && texts[0][same] === texts[1][same]) same += 1;
  return texts.map((text) => ({ right: text.slice(0, same), differs: text.slice(same) }));
}
