// Where a tape without the += goes wrong: what comes back, what should, and the truth by nudging.

import { backward, quotient, recorded, shared } from "../../model/tape.js";
import { counted } from "../../parts/words.js";
import { element, replace, say, set } from "../../parts/dom.js";
import { run } from "../../mathematics/mathematics.js";
import { named, number } from "./words.js";

// More rows than these are counted.
const MOST = 6;

export function forgotten(study) {
  const says = element("p");
  const rest = element("p", { class: "note" });
  const list = element("tbody");
  const heads = ["slope of L by", "with +=", "with =", "nudged"].map((text) => element("th", { scope: "col" }, text));
  const table = element("table", { class: "derivatives" }, element("caption", {}, "Used more than once"), element("thead", {}, element("tr", {}, heads)), list);
  const over = element("div", { class: "over", role: "region", tabindex: 0, "aria-label": "Used more than once" }, table);
  const node = element("div", { class: "forgotten" }, says, over, rest);

  function row(tape, results, at, text, [right, wrong]) {
    const isWrong = !Object.is(right.get(at), wrong.get(at));
    return element("tr", {}, element("th", { scope: "row" }, text),
      element("td", {}, number(right.get(at))),
      element("td", { "data-wrong": isWrong }, `${isWrong ? "≠ " : ""}${number(wrong.get(at))}`),
      element("td", {}, number(quotient(tape, results, at))));
  }

  // `right`: the right slopes by line; null hides it all.
  function update(tape, results, { form }, right, given) {
    set(node, { hidden: right === null });
    if (right === null) return;
    const wrong = backward(tape, results, tape.computed.length, true);
    const bad = [...tape.of.values()].filter(({ at }) => !Object.is(wrong.get(at), right.get(at)));
    const twice = bad.filter(({ at }) => tape.users.get(at).length > 1);
    const found = twice.slice(0, MOST).map(({ at }) => {
      const uses = tape.users.get(at).map((of) => `#${of}`).join(" and ");
      return row(tape, results, at, `${named(study, tape, at)}, used by ${uses}`, [right, wrong]);
    });
    const lost = study.parameters.filter((name) => bad.some((of) => of.name === name)).length;
    const both = shared(study, form);
    if (both) {
      const one = recorded(both.program, study.loss);
      const values = run(both.program, given);
      const slopes = [false, true].map((isForgetful) => backward(one, values, one.computed.length, isForgetful));
      const text = `t, if ${both.weights.map((at) => named(study, tape, at)).join(" = ")} = t = ${number(values[both.weights[0]])}`;
      found.push(row(one, values, both.weights[0], text, slopes));
    }
    replace(list, found);
    set(over, { hidden: found.length === 0 });
    const count = study.parameters.length;
    const parameters = lost ? `Of the ${counted(count, "slope")} by parameters, ${lost} ${lost === 1 ? "is" : "are"} wrong.` : `All ${count} slopes by parameters are right all the same: only one path leads back to each.`;
    const where = found.length ? " What is used more than once keeps only what came back last:" : " Here it shows nowhere.";
    say(says, `Without the + the last path wipes out those before it. ${parameters}${where}`);
    say(rest, twice.length > MOST ? `So it is with ${twice.length - MOST} more.` : "");
  }

  return { node, update };
}
