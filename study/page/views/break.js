// Plant a mistake in the hand-written lines, and see which checks notice it.

import { element, hide, say, set } from "../parts/dom.js";
import { knownTo } from "../model/question.js";
import { checksOfPoint, checksOfTraining, judged, lesson } from "../model/breaking.js";
import { planted } from "../model/mistakes.js";
import { inSigns, inUlps, signed } from "../mathematics/numbers.js";
import { AT_POINT, orderSeed } from "../model/point.js";
import { EPOCHS } from "../model/state.js";
import { capital } from "../parts/words.js";

const PARTS = { link: "In a link of the chain", answer: "Around the chain", loop: "In the training loop" };

// The checks from the weakest evidence to the strongest, with their names.
const CHECKS = {
  outcome: ["The outcome", `labels after ${EPOCHS} epochs, with the mistake and without`],
  training: ["The loss curve", "does it look as if something was learned?"],
  difference: ["A difference quotient", "h = 10⁻⁵; may differ by 10⁻⁵ and by 10⁻⁵ of itself, as in JAX's check_grads"],
  autodiff: ["Autodiff", "may differ by what rounding can do to both"],
  exact: ["The exact derivative", "may differ by what rounding can do to the right lines"],
  update: ["The update", "is the new parameter w − η times autodiff's derivative?"],
};
const inText = (called) => called.replace(/^(The|A) /, "").toLowerCase();
const NAMES = Object.fromEntries(Object.entries(CHECKS).map(([name, [called]]) => [name, inText(called)]));

export function breakIt(place, store) {
  const { study } = store;
  if (study.mistakes.length === 0) {
    place.hidden = true;
    return () => {};
  }
  const banner = sign(store);
  const list = chooser(store);
  const says = element("p", { class: "mistake" });
  const why = element("p", {});
  const rows = Object.fromEntries(Object.keys(CHECKS).map((name) => [name, check(name)]));
  const checks = element("ul", { class: "checks" }, Object.values(rows).map((of) => of.node));
  const taught = element("p", { class: "lesson" });
  const table = derivatives(store);
  const command = element("code", {});
  const terminal = element("p", { class: "note" }, "The same in the terminal, where handgrad’s judge names the mistake: ", command);
  place.append(
    element(
      "p",
      { class: "note" },
      `These are ${study.mistakes.length} mistakes that people make in backpropagation by hand. Choose one: the page's
      hand-written lines then compute with it.`,
    ),
    list.node,
    says,
    why,
    checks,
    taught,
    table.node,
    terminal,
  );
  const live = document.getElementById("live");

  // Also out of view: text is searched and read aloud there.
  function write(state, point, mistake) {
    const people = judged(study, state, point, mistake);
    const found = { ...checksOfTraining(study, state), ...checksOfPoint(study, people) };
    for (const [name, of] of Object.entries(found)) rows[name].update(of);
    say(taught, lesson(mistake, found, NAMES));
    table.update(state, point, people.find(({ sample }) => sample === point.sample).rows);
  }

  return (state, point, changed) => {
    const chosen = study.mistakes.find((of) => of.slug === state.mistake);
    const mistake = planted(study, state);
    if (changed.has("mistake")) {
      banner.update(mistake);
      list.update(state);
      say(says, chosen ? concerns(study, chosen) : "");
      say(why, chosen && !mistake ? `This page cannot run it. ${chosen.why} The terminal can:` : "");
      for (const node of [says, terminal]) set(node, { hidden: !chosen });
      for (const node of [checks, taught, table.node]) set(node, { hidden: !mistake });
      set(why, { hidden: !chosen || Boolean(mistake) });
      if (mistake) say(live, `Planted: ${sentence(mistake)}`);
    }
    if (chosen) say(command, commandOf(study, state));
    if (mistake && [...changed].some((key) => MATTERS.has(key))) write(state, point, mistake);
  };
}

// The parts of the state that the checks depend on.
const MATTERS = new Set([...AT_POINT, "quiz", "revealed", "parameter"]);

const sentence = ({ says }) => `${capital(inSigns(says))}.`;

function concerns(study, { wrong, kind }) {
  const what = kind === "training" ? ["update of", "updates"] : ["derivative by", "derivatives"];
  if (wrong.length === study.parameters.length) return `That can make all ${wrong.length} ${what[1]} wrong.`;
  const names = wrong.map((name) => study.quantity[name].symbol).join(", ");
  return `That can make the ${wrong.length > 1 ? what[0].replace(" ", "s ") : what[0]} ${names} wrong.`;
}

// The same training in the terminal; what is not said there is as it is here.
function commandOf(study, state) {
  const options = [
    state.seed === null ? "--init ones" : `--seed ${state.seed}`,
    state.order === "shuffled" && `${state.seed === null ? `--seed ${orderSeed(state)} ` : ""}--order shuffled`,
    state.eta !== study.usual.eta && `--learning-rate ${state.eta}`,
    state.form !== study.usual.form && `--sigmoid-derivative ${state.form}`,
  ];
  return [".venv/bin/python -m compare break", state.mistake, ...options.filter(Boolean)].join(" ");
}

// A notice at the top, while a mistake is planted.
function sign(store) {
  const text = element("span", {});
  const remove = element("button", { type: "button", onclick: () => store.set({ mistake: null }) }, "remove");
  const says = element("span", {}, element("b", {}, "Planted: "), text);
  const node = element("p", { id: "planted", class: "planted", hidden: true }, says, remove);
  document.querySelector("#stage .always").prepend(node);
  return {
    update(mistake) {
      hide(node, !mistake, document.querySelector("#break select"));
      if (mistake) say(text, inSigns(mistake.says));
    },
  };
}

function chooser(store) {
  const { mistakes } = store.study;
  const option = ({ slug, says }) => element("option", { value: slug }, capital(inSigns(says)));
  const groups = Object.entries(PARTS).map(([part, label]) =>
    element("optgroup", { label }, mistakes.filter((of) => of.part === part).map(option)),
  );
  const pick = element(
    "select",
    { onchange: () => store.set({ mistake: pick.value || null }) },
    element("option", { value: "" }, "none: the lines are right"),
    groups,
  );
  const order = ["", ...[...pick.querySelectorAll("optgroup option")].map((of) => of.value)];
  const go = (by) => {
    const at = order.indexOf(store.state.mistake ?? "");
    store.set({ mistake: order[(at + by + order.length) % order.length] || null });
  };
  const button = (text, name, by) =>
    element("button", { type: "button", class: "step", "aria-label": name, title: name, onclick: () => go(by) }, text);
  const label = element("label", {}, element("span", { class: "label" }, "Mistake "), pick);
  return {
    node: element(
      "div",
      { class: "bar choose" },
      label,
      button("▲", "The mistake before", -1),
      button("▼", "The next mistake", 1),
    ),
    update: (state) => (pick.value = state.mistake ?? ""),
  };
}

function check(name) {
  const [called, how] = CHECKS[name];
  const verdict = element("span", { class: "verdict" });
  const says = element("span", { class: "found" });
  const what = [element("b", {}, called), element("span", { class: "note" }, how)];
  const node = element("li", { "data-check": name }, verdict, what, says);
  return {
    node,
    update(of) {
      set(node, { "data-sees": of.sees });
      say(verdict, of.sees === null ? "? cannot tell" : of.sees ? "✓ sees it" : "○ blind");
      say(says, `${capital(of.says)}.`);
    },
  };
}

// The derivatives of the current sample, beside the exact ones.
function derivatives(store) {
  const { study } = store;
  const caption = element("caption", {});
  const lines = study.parameters.map((parameter) => {
    const { symbol } = study.quantity[study.gradients[parameter]];
    const cells = ["hand", "exact", "off", "allowed"].map((of) => element("td", { "data-of": of }));
    const head = element("th", { scope: "row" }, symbol);
    return { cells, node: element("tr", { "data-parameter": parameter }, head, cells) };
  });
  const names = ["by hand", "exactly", "ulps off", "allowed by rounding (ulps)"];
  const heads = names.map((of) => element("th", { scope: "col" }, of));
  const node = element(
    "table",
    { class: "derivatives" },
    caption,
    element("thead", {}, element("tr", {}, element("td", {}), heads)),
    element("tbody", {}, lines.map((of) => of.node)),
  );
  return {
    node,
    update(state, point, rows) {
      const known = knownTo(study, { ...state, step: Infinity });
      say(caption, `${point.sample.name}'s derivatives`);
      rows.forEach((row, k) => {
        const { cells, node: line } = lines[k];
        if (!known(study.gradients[row.parameter])) {
          set(line, { "data-wrong": false });
          for (const cell of cells) say(cell, "?");
          return;
        }
        const isWrong = row.seen.exact;
        set(line, { "data-wrong": isWrong });
        say(cells[0], Number.isNaN(row.hand) ? "no number" : signed(row.hand));
        say(cells[1], row.isKnown ? signed(row.exact[0]) : "too large");
        say(cells[2], row.isKnown ? `${isWrong ? "✗ " : ""}${inUlps(row.ulps)}` : "–");
        say(cells[3], row.isKnown ? inUlps(Math.ceil(row.allowed)) : "–");
      });
    },
  };
}
