// The numbers of a nudge: both losses digit under digit, and the slopes one below the other.

import { relativeError } from "../../mathematics/difference.js";
import { against, cut, parted, raised, signed, ulp, written } from "../../mathematics/numbers.js";
import { element, say } from "../../parts/dom.js";
import { numberRow } from "../../parts/witnesses.js";
import { share } from "./measured.js";

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

const PARTS = ["right", "differs", "lost", "rest"];

function table(caption, keys) {
  const rows = Object.fromEntries(keys.map((key) => [key, numberRow({ "data-row": key }, PARTS)]));
  return {
    node: element(
      "table",
      { class: "witnesses" },
      element("caption", {}, caption),
      element("tbody", {}, Object.values(rows).map((of) => of.node)),
    ),
    show(key, name, parts, note = "") {
      say(rows[key].name, name);
      rows[key].show(parts, note);
    },
  };
}

// Two numbers with all digits of a float64, split into what they have in common at the front and the rest.
function shared(...values) {
  if (!values.every(Number.isFinite)) return values.map(() => ({ right: "no finite number" }));
  const texts = values.map((value) => written(value.toPrecision(17)));
  let same = 0;
  while (same < texts[0].length && texts[0][same] === texts[1][same]) same += 1;
  return texts.map((text) => ({ right: text.slice(0, same), differs: text.slice(same) }));
}
