// The tape: what is given, and a row for each operation with its value and what comes back to it.

import { element, replace, say, set } from "../../parts/dom.js";
import { linked } from "../../model/tape.js";
import { named, number, whole } from "./words.js";

export function rows(study) {
  const leaves = element("ul", { class: "leaves", "aria-label": "What is given" });
  const head = element("th", { scope: "col" });
  const columns = [element("th", { scope: "col" }, "#"), element("th", { scope: "col" }, "operation"), element("th", { scope: "col", class: "there" }, "value ↓"), head, element("th", { scope: "col" }, "JAX")];
  const list = element("tbody");
  const region = element("div", { class: "tape", role: "region", tabindex: 0, "aria-label": "The tape" },
    element("table", {}, element("caption", { class: "visually-hidden" }, "The tape"), element("thead", {}, element("tr", {}, columns)), list));
  let shown = null;
  let made = [];

  function draw(tape) {
    const links = linked(study, tape);
    made = [...tape.given, ...tape.computed].map((entry) => {
      const [value, back] = ["there", "back"].map((name) => element(entry.number ? "td" : "span", { class: name }));
      const node = entry.number
        ? element("tr", { "data-entry": entry.number }, element("th", { scope: "row" }, String(entry.number)), element("td", {}, whole(study, tape, entry)), value, back, element("td", { class: "jax" }, links.get(entry.at) ?? ""))
        : element("li", { "data-given": entry.name }, element("span", {}, `${named(study, tape, entry.at)} =`), value, back);
      return { entry, node, value, back };
    });
    replace(leaves, made.filter(({ entry }) => !entry.number).map(({ node }) => node));
    replace(list, made.filter(({ entry }) => entry.number).map(({ node }) => node));
    shown = tape;
  }

  // A slope that is not whole, since more comes back to it, ends in "+ …"; a wrong one begins with ≠.
  function slopeOf({ at, number: own }, { users, computed }, { step, isForward, slopes, right }) {
    if (isForward ? (own ?? 0) > step : step <= computed.length || !slopes.has(at)) return "";
    const isWhole = isForward || (users.get(at)[0] ?? Infinity) > 2 * computed.length - step;
    const isWrong = isWhole && !Object.is(slopes.get(at), right.get(at));
    return `${isWrong ? "≠ " : ""}${number(slopes.get(at))}${isWhole ? "" : " + …"}`;
  }

  return {
    node: element("div", {}, leaves, region),
    update(tape, results, state) {
      if (tape !== shown) draw(tape);
      const { step, isForward, parameter, isMoved } = state;
      const count = tape.computed.length;
      say(head, isForward ? `∂/∂${study.quantity[parameter].symbol} ↓` : "∂L/∂ ↑");
      set(head, { class: isForward ? "there" : "back" });
      for (const { entry, node, value, back } of made) {
        const isNow = entry.number === (step > count ? 2 * count - step + 1 : step) && step > 0;
        say(value, (entry.number ?? 0) <= step ? number(results[entry.at]) : "");
        say(back, slopeOf(entry, tape, state));
        set(back, { class: isForward ? "there" : "back", "data-wrong": back.textContent.startsWith("≠") });
        set(node, { "data-now": isNow ? (step > count ? "back" : "there") : null });
        // Within its own region: the page stays where it is.
        if (isNow && isMoved) region.scrollTop = node.offsetTop - region.clientHeight / 2;
      }
    },
  };
}
