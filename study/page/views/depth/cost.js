// Why backwards: what all derivatives cost by nudging, and by one pass back.

import { costs } from "../../mathematics/layers.js";
import { short } from "../../mathematics/numbers.js";
import { element, say } from "../../parts/dom.js";

const whole = (count) => count.toLocaleString("en-US");

export function costTable() {
  const rows = ["Nudge each", "Go back once"].map((name) => {
    const cells = [element("td"), element("td")];
    return { cells, node: element("tr", {}, element("th", { scope: "row" }, name), cells) };
  });
  const heads = ["", "Passes", "Multiplications"].map((text) => (text ? element("th", { scope: "col" }, text) : element("td")));
  const caption = element("caption", {});
  const table = element("table", { class: "cost" }, caption, element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows.map((row) => row.node)));
  const note = element("p", { class: "note" });
  return {
    node: element("div", {}, table, note),
    update(state, { sizes }) {
      const { parameters, there, back } = costs(sizes);
      const nudging = (parameters + 1) * there;
      say(caption, `What the derivatives by all ${whole(parameters)} parameters cost`);
      const told = [[`${whole(parameters + 1)} forward`, whole(nudging)], ["1 forward, 1 back", whole(there + back)]];
      rows.forEach((row, k) => row.cells.forEach((cell, at) => say(cell, told[k][at])));
      say(note, `Counted from the sizes of the layers; nudging takes a pass at the point, and one for each parameter. The pass back costs as much as ${short(back / there, 2)} passes forward, and gives every derivative at once. Nudging costs ${whole(Math.round(nudging / (there + back)))} times as much.`);
    },
  };
}
