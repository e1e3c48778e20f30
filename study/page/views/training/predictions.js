// The network's predictions for everybody, as a table.

import { short } from "../../mathematics/numbers.js";
import { UNITS, inUnit, label, probability } from "../../model/people.js";
import { element, say, set } from "../../parts/dom.js";

// A row for each.
export function predictions(study, named) {
  const { people: isPeople, drawing } = study;
  const columns = isPeople ? 6 : 5;
  const heads = Array.from({ length: columns - 1 }, () => element("th", { scope: "col" }));
  const body = element("tbody");
  const node = element(
    "table",
    { class: "predictions" },
    element("caption", { class: "visually-hidden" }, "What the network says of each"),
    element("thead", {}, element("tr", {}, element("td"), heads)),
    body,
  );
  const row = () =>
    element("tr", {}, element("th", { scope: "row" }), Array.from({ length: columns - 1 }, () => element("td")));

  function update(state, all) {
    const measures = isPeople ? UNITS[state.unit].names : drawing.inputs.map((of) => study.quantity[of].symbol);
    const titles = [...measures, named, ...(isPeople ? ["says", "is"] : ["y"])];
    heads.forEach((head, k) => say(head, titles[k]));
    while (body.children.length > all.length) body.lastElementChild.remove();
    while (body.children.length < all.length) body.append(row());
    all.forEach((of, k) => {
      const measured = isPeople ? inUnit(of.measured, state.unit) : of.measured;
      const says = isPeople ? [Number.isFinite(of.chance) ? label(of.chance) : "–"] : [];
      const texts = [
        of.name,
        ...measured.map((value) => short(value)),
        probability(of.chance),
        ...says,
        of.truth ?? "–",
      ];
      texts.forEach((text, column) => say(body.children[k].children[column], text));
      const isWrong = isPeople && of.truth !== null && Number.isFinite(of.chance) && label(of.chance) !== of.truth;
      set(body.children[k], { "data-person": of.name.toLowerCase(), "data-wrong": isWrong });
    });
  }

  return { node, update };
}
