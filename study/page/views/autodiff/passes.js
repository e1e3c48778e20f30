// How many passes each way to all slopes takes.

import { costs } from "../../mathematics/layers.js";
import { element } from "../../parts/dom.js";

export function passes(study) {
  const functions = [
    ["the loss of this network", study.parameters.length, 1],
    ["the loss of a 64-64-10 network", costs([64, 64, 10]).parameters, 1],
    ["a curve in space, by its time", 1, 3],
  ];
  const heads = ["", "inputs", "outputs", "forward mode", "nudging", "reverse mode"].map((text) =>
    text ? element("th", { scope: "col", class: text.endsWith("puts") ? "size" : null }, text) : element("td"));
  const rows = functions.map(([text, n, m]) => {
    const [least, ...counts] = [Math.min(n, m), n, n + 1, m];
    const cells = [n, m].map((of) => element("td", { class: "size" }, of.toLocaleString("en")));
    const ways = counts.map((of) => element("td", { class: of === least ? "least" : null }, `${of === least ? "✓ " : ""}${of.toLocaleString("en")}`));
    return element("tr", {}, element("th", { scope: "row" }, text), cells, ways);
  });
  return element("div", { class: "passes" },
    element("h3", {}, "Which one to use: count the passes"),
    element("div", { class: "over", role: "region", tabindex: 0, "aria-label": "Passes" },
      element("table", { class: "derivatives" }, element("caption", {}, "Passes for all slopes"), element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows))),
    element("p", { class: "note" }, "A pass in forward mode gives the slopes of all outputs by one input; a pass in reverse mode, there and back, those of one output by all inputs; nudging takes one pass more than there are inputs, and loses half of the digits. A loss is one number of many weights, so it goes backwards. Forward mode wins where few inputs have many outputs: the table of all slopes, the Jacobian, has a column for each input and a row for each output; forward mode fills a column with each pass, reverse mode a row. And reverse mode has to keep the whole tape; forward mode forgets as it goes."),
  );
}
