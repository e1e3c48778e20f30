// The article's errata: as printed and corrected, with the result of each run.

import { viewsOf } from "../model/state.js";
import { element, say, set } from "../parts/dom.js";
import { inPieces, math } from "../parts/formula.js";
import { general, written } from "../mathematics/numbers.js";
import { choice } from "../parts/controls.js";

export function errata(place, store) {
  const slips = store.study.errata;
  const which = choice(store, "printed", "First", [[false, "corrected"], [true, "as the article prints it"]]);
  const section = sections(store, slips);
  const count = element("p", { class: "says", role: "status" });
  const items = slips.map((slip) => item(store, slip));
  place.append(
    element(
      "p",
      { class: "note" },
      `The article that this page follows has ${slips.length} slips. Open one to see both forms, the reason, and what
      Python computed for it when this page was built.`,
    ),
    element("div", { class: "bar" }, which.node, section.node),
    count,
    element("ol", { class: "slips" }, items.map(({ node }) => node)),
  );

  return (state, _, changed) => {
    if (!["printed", "section", "erratum"].some((key) => changed.has(key))) return;
    which.update(state);
    section.update(state);
    const shown = slips.filter((slip) => fits(slip, state));
    say(count, shown.length === slips.length ? "" : `${shown.length} of ${slips.length} are in this section.`);
    for (const [k, of] of items.entries()) of.update(state, fits(slips[k], state), changed.has("erratum"));
  };
}

const fits = (slip, { section, erratum }) => section === null || slip.section === section || slip.number === erratum;

function sections(store, slips) {
  const all = [...new Set(slips.map((slip) => slip.section))];
  const choose = () => store.set({ section: pick.value || null, erratum: null });
  const pick = element(
    "select",
    { onchange: choose },
    element("option", { value: "" }, "all sections"),
    all.map((name) => element("option", { value: name }, name)),
  );
  return {
    node: element("label", { class: "label" }, "In ", pick),
    update: (state) => (pick.value = state.section ?? ""),
  };
}

// One entry of the list; its content is built when it is first opened.
function item(store, slip) {
  const summary = element(
    "summary",
    {},
    element("span", { class: "slip-title" }, `${slip.number}. ${slip.title}`),
    element("span", { class: "note" }, slip.section),
  );
  const details = element("details", { ontoggle: () => toggled() }, summary);
  const node = element("li", { "data-erratum": slip.number }, details);
  let sides = null;

  function fill() {
    if (sides) return;
    sides = sideBySide(slip, store.state.printed);
    details.append(inside(store, slip, sides));
  }

  // Opening an entry closes the other one; the title that was pressed stays where it is on the screen.
  function toggled() {
    if (details.open) {
      fill();
      const { top } = summary.getBoundingClientRect();
      store.set({ erratum: slip.number });
      scrollBy({ top: summary.getBoundingClientRect().top - top, behavior: "instant" });
    } else if (store.state.erratum === slip.number) store.set({ erratum: null });
  }

  function update(state, isShown, isAsked) {
    set(node, { hidden: !isShown });
    if (sides && sides.firstChild.dataset.printed !== String(state.printed)) sides.append(sides.firstChild);
    if (isAsked && state.erratum !== slip.number) details.open = false;
    if (isAsked && state.erratum === slip.number && !details.open) {
      fill();
      details.open = true;
      // The address opens it: scroll there in the frame after the next, when everything above has its height; but not
      // past a lesson, which is read first.
      if (state.lesson === null) requestAnimationFrame(() => requestAnimationFrame(() => node.scrollIntoView()));
    }
  }

  return { node, update };
}

const tag = (isPrinted) =>
  element("span", { class: "tag", "data-printed": isPrinted }, isPrinted ? "✗ printed" : "✓ corrected");

// The formulas, and the text where there are none or where it says more.
function form({ formulas, text }) {
  const words = text && element("span", { class: "words" }, text);
  return element("span", { class: "formed" }, formulas.map((of) => element("span", { class: "one" }, inPieces(math(of)))), words);
}

// Printed beside corrected, the one or the other first.
export function sideBySide(slip, isPrintedFirst = true) {
  const side = (isPrinted, of) => element("div", { class: "side", "data-printed": isPrinted }, tag(isPrinted), form(of));
  const both = [side(true, slip.printed), side(false, slip.right)];
  return element("div", { class: "sides" }, isPrintedFirst ? both : both.reverse());
}

function inside(store, slip, sides) {
  const parts = [sides, element("p", {}, slip.why), table(slip), element("p", { class: "comes-to" }, slip.says)];
  if (slip.elsewhere) parts.push(look(store, slip.elsewhere));
  return element("div", { class: "inside" }, parts);
}

function table({ number, title, columns, rows, digits }) {
  const isNumber = columns.map((_, k) => rows.every((row) => typeof row[k] === "number"));
  // An empty heading is a plain cell.
  const cell = (text, k, scope) =>
    element(scope && text ? "th" : "td", { scope: text ? scope : null, class: isNumber[k] && "number" }, text);
  const shown = (value) => (typeof value === "number" ? written(general(value, digits)) : value);
  const line = (row) => element("tr", {}, row.map((value, k) => cell(shown(value), k, k === 0 ? "row" : null)));
  return element(
    "div",
    { class: "wide", role: "region", tabindex: 0, "aria-label": `What the run of ${number}, ${title}, shows` },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, columns.map((name, k) => cell(name, k, "col")))),
      element("tbody", {}, rows.map(line)),
    ),
  );
}

// A button that goes to where the slip shows on this page, and sets the state for it. Not a link, because the
// address holds the state.
function look(store, { section, state, says }) {
  const go = () => {
    const view = viewsOf(store.study).includes(section) ? section : "pass";
    store.set({ step: store.study.steps.length, mistake: null, ...state, view });
    const target = document.getElementById(section);
    const heading = target.querySelector("h2") ?? target;
    set(heading, { tabindex: -1 });
    heading.focus({ preventScroll: true });
    target.scrollIntoView();
  };
  return element("p", {}, element("button", { type: "button", onclick: go }, `Show me: ${says}`));
}
