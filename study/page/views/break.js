// Plant a mistake in the hand-written lines, and see which checks notice it: a gallery of cards by what goes wrong.

import { choice } from "../parts/controls.js";
import { element, hide, say, set } from "../parts/dom.js";
import { editOf } from "../parts/edit.js";
import { knownTo } from "../model/question.js";
import { checksOfPoint, checksOfTraining, judged, judgement, lesson } from "../model/breaking.js";
import { planted, stepOf } from "../model/mistakes.js";
import { inSigns, inUlps, signed } from "../mathematics/numbers.js";
import { AT_POINT } from "../model/point.js";
import { CHECKS, EPOCHS } from "../model/state.js";
import { capital, counted } from "../parts/words.js";
import { surveyed } from "./break/survey.js";

// The checks, with their names, whole and on a card, and what they look at.
const TOLD = {
  outcome: ["The outcome", "outcome", `labels after ${EPOCHS} epochs, with the mistake and without`],
  training: ["The loss curve", "loss", "does it look as if something was learned?"],
  difference: ["A difference quotient", "quotient", "h = 10⁻⁵; may differ by 10⁻⁵ and by 10⁻⁵ of itself, as in JAX's check_grads"],
  autodiff: ["Autodiff", "autodiff", "may differ by what rounding can do to both"],
  exact: ["The exact derivative", "exact", "may differ by what rounding can do to the right lines"],
  update: ["The update", "update", "is the new parameter w − η times autodiff's derivative?"],
};
const inText = (called) => called.replace(/^(The|A) /, "").toLowerCase();
const NAMES = Object.fromEntries(CHECKS.map((name) => [name, inText(TOLD[name][0])]));

export function breakIt(place, store) {
  const { study } = store;
  const banner = sign(store);
  const shown = gallery(store);
  const says = element("p", { class: "mistake" });
  const see = element("button", { type: "button", onclick: () => goTo(store) });
  const rows = Object.fromEntries(CHECKS.map((name) => [name, check(name)]));
  const checks = element("ul", { class: "checks" }, Object.values(rows).map((of) => of.node));
  const taught = element("p", { class: "lesson" });
  const table = derivatives(store);
  const command = element("code", {});
  const judge = element("span", {});
  const elsewhere = element("span", {}, " In the terminal: ", command);
  const terminal = element("p", { class: "note judge" }, judge, elsewhere);
  shown.inside.append(says, see, checks, taught, table.node, terminal);
  place.append(
    element(
      "p",
      { class: "note" },
      `These are ${study.mistakes.length} mistakes that people make in backpropagation by hand. Choose one: the page's
      hand-written lines then compute with it.`,
    ),
    ...shown.nodes,
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
    shown.update(state, changed);
    if (changed.has("mistake")) {
      banner.update(mistake);
      say(says, chosen ? concerns(study, chosen) : "");
      for (const node of [checks, taught, table.node, see, elsewhere]) set(node, { hidden: !mistake });
      if (mistake) say(live, `Planted: ${sentence(mistake)}`);
    }
    if (mistake) say(see, seeAt(store));
    if (!chosen || ![...changed].some((key) => MATTERS.has(key))) return;
    const { verdict, why: because } = judgement(study, state, chosen);
    say(judge, `handgrad’s judge ${VERDICTS[verdict]}: ${because}.`);
    say(command, commandOf(study, state, chosen));
    if (mistake) write(state, point, mistake);
  };
}

const VERDICTS = { agree: "agrees", disagree: "disagrees", imprecise: "calls it imprecise", unknown: "cannot tell" };

const seeAt = ({ study, state }) => `see it at step ${stepOf(study, planted(study, state), state.form)}`;

// Show the step at which the wrong line stands.
function goTo(store) {
  const { study, state } = store;
  store.set({ step: stepOf(study, planted(study, state), state.form), view: "pass" });
  const now = document.getElementById("now");
  set(now, { tabindex: -1 });
  now.focus({ preventScroll: true });
  now.scrollIntoView({ block: "nearest" });
}

// The parts of the state that the checks depend on.
const MATTERS = new Set([...AT_POINT, "quiz", "revealed", "level", "parameter"]);

const sentence = ({ says }) => `${capital(inSigns(says))}.`;

function concerns(study, { wrong, kind }) {
  const what = kind === "training" ? ["update of", "updates"] : ["derivative by", "derivatives"];
  if (wrong.length === study.parameters.length) return `That can make all ${wrong.length} ${what[1]} wrong.`;
  const names = wrong.map((name) => study.quantity[name].symbol).join(", ");
  return `That can make the ${wrong.length > 1 ? what[0].replace(" ", "s ") : what[0]} ${names} wrong.`;
}

// The training in the terminal, which takes the people in turn; what is not said there is as it is here.
function commandOf(study, state, { slug }) {
  const options = [
    state.seed === null ? "--init ones" : `--seed ${state.seed}`,
    state.eta !== study.usual.eta && `--learning-rate ${state.eta}`,
    state.form !== study.usual.form && `--sigmoid-derivative ${state.form}`,
  ];
  return [".venv/bin/python -m compare break", slug, ...options.filter(Boolean)].join(" ");
}

// A notice at the top, while a mistake is planted.
function sign(store) {
  const text = element("span", {});
  const see = element("button", { type: "button", onclick: () => goTo(store) });
  const remove = element("button", { type: "button", onclick: () => store.set({ mistake: null }) }, "remove");
  const says = element("span", {}, element("b", {}, "Planted: "), text);
  const node = element("p", { id: "planted", class: "planted", hidden: true }, says, see, remove);
  document.querySelector("#stage .always").prepend(node);
  return {
    update(mistake) {
      hide(node, !mistake, document.querySelector("#steps button"));
      if (!mistake) return;
      say(text, inSigns(mistake.says));
      say(see, seeAt(store));
    },
  };
}

// The cards, those of a group or of all, and which check is blind to them; the planted one opens, and is there always.
function gallery(store) {
  const { study } = store;
  const { mistakes, groups } = study;
  const survey = surveyed(store, () => write(store.state));
  const inside = element("div", { class: "inside" });
  const cards = mistakes.map((mistake) => card(store, mistake));
  const list = element("ul", { class: "cards" }, cards.map(({ node }) => node));
  const count = (of) => mistakes.filter(({ group }) => group === of).length;
  const options = [...Object.entries(groups).map(([of, title]) => [of, `${title} (${count(of)})`]), ["all", `All (${mistakes.length})`]];
  const pick = choice(store, "group", "What goes wrong", options, undefined, groupOf);
  const blind = choice(store, "blind", "Not seen by", [[null, "no filter"], ...CHECKS.map((name) => [name, NAMES[name]])],
    (name) => ({ blind: name, ...(name && { group: "all" }) }));
  const heard = element("p", { class: "says", role: "status" });
  survey.watch(list);

  function groupOf({ group, mistake }) {
    return group ?? mistakes.find(({ slug }) => slug === mistake)?.group ?? Object.keys(groups)[0];
  }

  function write(state) {
    const group = groupOf(state);
    let fitting = 0;
    for (const of of cards) {
      const { slug, group: own } = of.mistake;
      const found = survey.found.get(slug);
      const fits = (group === "all" || group === own) && (state.blind === null || found?.[state.blind].sees === false);
      fitting += fits;
      of.update(state, found, fits || state.mistake === slug);
    }
    const { size } = survey.found;
    const done = size < survey.count && `Checking: ${size} of ${survey.count}.`;
    const which = state.blind === null ? "" : ` that ${state.blind === "update" ? "the " : ""}${NAMES[state.blind]} does not see`;
    say(heard, [`${counted(fitting, "mistake")}${which}.`, `The marks hold ${whereOf(state)}.`, done].filter(Boolean).join(" "));
  }

  return {
    inside,
    nodes: [pick.node, blind.node, heard, list],
    update(state, changed) {
      if (![...changed].some((key) => SHOWN.has(key))) return;
      pick.update(state);
      blind.update(state);
      survey.update(state);
      set(inside, { hidden: state.mistake === null });
      if (changed.has("mistake")) cards.find(({ mistake }) => mistake.slug === state.mistake)?.node.append(inside);
      write(state);
    },
  };
}

// The parts of the state that the gallery shows.
const SHOWN = new Set([...AT_POINT, "group", "blind"]);

// The point at which the checks are made, in words.
function whereOf({ seed, epoch, edits, eta }) {
  const start = seed === null ? "with all weights 1" : `at seed ${seed}`;
  const trained = epoch > 0 && `after ${counted(epoch, "epoch")}`;
  return [start, trained, Object.keys(edits).length && "with your changes", `η = ${eta}, for all people`].filter(Boolean).join(", ");
}

function card(store, mistake) {
  const { slug, says, edits, changes, why } = mistake;
  const toggle = () => store.set({ mistake: store.state.mistake === slug ? null : slug });
  const button = element("button", { type: "button", class: "plant", onclick: toggle }, `${capital(inSigns(says))}.`);
  const marks = CHECKS.map((name) => {
    const glyph = element("b", { "aria-hidden": "true" });
    const heard = element("span", { class: "visually-hidden" });
    return { name, glyph, heard, node: element("li", { "data-mark": name }, glyph, TOLD[name][1], heard) };
  });
  const row = element("ul", { class: "marks", "aria-label": "Who sees it" }, marks.map(({ node }) => node));
  const command = element("code", {});
  const elsewhere = element("p", { class: "note" }, `This page cannot run it. ${why} In the terminal, which runs it and says who sees it: `, command);
  const node = element("li", { class: "card", "data-slug": slug }, button, editOf(edits), changes ? row : elsewhere);
  return {
    mistake,
    node,
    update(state, found, isShown) {
      const isChosen = state.mistake === slug;
      say(command, commandOf(store.study, state, mistake));
      set(node, { hidden: !isShown, "data-chosen": isChosen });
      set(button, { "aria-pressed": isChosen });
      for (const { name, glyph, heard, node: mark } of marks) {
        const sees = found ? found[name].sees : undefined;
        set(mark, { "data-sees": sees });
        say(glyph, sees === undefined ? "…" : sees === null ? "?" : sees ? "✓" : "○");
        say(heard, sees === undefined ? ": not yet checked" : sees === null ? " cannot tell" : sees ? " sees it" : " is blind");
      }
    },
  };
}

function check(name) {
  const [called, , how] = TOLD[name];
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
  const table = element(
    "table",
    { class: "derivatives" },
    caption,
    element("thead", {}, element("tr", {}, element("td", {}), heads)),
    element("tbody", {}, lines.map((of) => of.node)),
  );
  const node = element("div", { class: "wide", role: "region", tabindex: 0, "aria-label": "The derivatives and the exact ones" }, table);
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
