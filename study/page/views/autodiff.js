// What autodiff does: the tape of the pass, written down on the way there and gone through on the way back,
// beside JAX's program of the same loss; forward mode on the same; and the count that says which to use.

import { choice, parameterList, stepper } from "../parts/controls.js";
import { counted } from "../parts/words.js";
import { element, replace, say, set } from "../parts/dom.js";
import { isAsking } from "../model/question.js";
import { AT_POINT } from "../model/point.js";
import { backward, forward, linked, tapeOf } from "../model/tape.js";
import { forgotten } from "./autodiff/forgotten.js";
import { passes } from "./autodiff/passes.js";
import { rows } from "./autodiff/rows.js";
import { happens } from "./autodiff/words.js";
import { play } from "./play.js";
import { run } from "../mathematics/mathematics.js";
import { SMALLEST } from "../mathematics/floats.js";
import { short } from "../mathematics/numbers.js";

// Milliseconds between steps while it plays.
const PACE = 900;

const SHOWS = ["playing", "tape", "entry", "plus", "parameter", "quiz", "revealed", ...AT_POINT];

export function autodiff(place, store) {
  const { study } = store;
  const count = tapeOf(study, study.begin.form).computed.length;
  const lastOf = (state) => (state.tape === "forward" ? count : 2 * count);
  const stepOf = (state) => Math.min(state.entry, lastOf(state));
  const mode = choice(store, "tape", "Mode", [["reverse", "reverse mode"], ["forward", "forward mode"]], (tape) => ({ tape, entry: 1 }));
  const pick = parameterList(store, (parameter) => store.set({ parameter }));
  const picked = element("label", {}, "slopes by ", pick);
  const plus = element("button", { type: "button", onclick: () => store.set({ plus: !store.state.plus }) }, "forget the +=");
  const player = element("button", { type: "button", class: "wide", onclick: playTape });
  const walks = ["reverse", "forward"].map((tape) =>
    stepper(["Tape: to its beginning", "Tape: one back", "Tape: one on", "Tape: to its end"], lastOf({ tape }), () => stepOf(store.state), go),
  );
  const controls = walks.map(({ buttons }) => element("div", { class: "bar", role: "group", "aria-label": "Tape", onfocusout: () => store.set({ lit: [] }) }, buttons));
  const title = element("p", { class: "title" });
  const says = element("p", { class: "reason" });
  const lines = element("ul", { class: "lines" });
  const sources = element("p", { class: "note sources" });
  const table = rows(study);
  const lost = forgotten(study);
  const asked = element("p", { class: "note" }, "The quiz asks for a derivative, and this view would say it: answer, or end the quiz.");
  const body = element("div", {},
    element("p", {}, "Autodiff writes down each operation as it happens, and goes through the list backwards; each entry knows only its own derivative."),
    element("div", { class: "bar" }, mode.node, picked, plus),
    controls, title, element("div", { class: "happens" }, says, lines), sources, table.node, lost.node, passes(study), code(study), program(study),
  );
  place.append(asked, body);
  const live = document.getElementById("live");

  function go(entry) {
    const { of, computed } = tapeOf(study, store.state.form);
    const { at, parts } = computed[entry > count ? 2 * count - entry : entry - 1] ?? { parts: [] };
    store.set({ entry, lit: [at, ...parts].map((line) => of.get(line)?.name).filter(Boolean) });
  }

  // Goes on from where it stands; from the end, from the beginning.
  function playTape() {
    let at = stepOf(store.state);
    if (at === lastOf(store.state)) go((at = 0));
    play(store, "tape", PACE, () => {
      // The reader has gone elsewhere, on the tape or on the page.
      if (stepOf(store.state) !== at || store.state.view !== "autodiff") return true;
      go((at += 1));
      return at >= lastOf(store.state);
    });
  }

  return (state, point, changed) => {
    if (!SHOWS.some((key) => changed.has(key))) return;
    say(player, state.playing === "tape" ? "pause" : "play");
    set(asked, { hidden: !isAsking(state) });
    set(body, { hidden: isAsking(state) });
    if (isAsking(state)) return;
    const isForward = state.tape === "forward";
    const [tape, step] = [tapeOf(study, state.form), stepOf(state)];
    const results = run(tape.program, point.given);
    const back = (done) => backward(tape, results, Math.max(0, done - count), !state.plus);
    const slopes = isForward ? forward(tape, results, state.parameter) : back(step);
    mode.update(state);
    set(picked, { hidden: !isForward });
    set(plus, { hidden: isForward, "aria-pressed": !state.plus });
    if (document.activeElement !== pick) pick.value = state.parameter;
    controls.forEach((node, k) => set(node, { hidden: (k === 1) !== isForward }));
    const [walk, bar] = [walks[Number(isForward)], controls[Number(isForward)]];
    if (player.parentNode !== bar) walk.buttons[1].after(player);
    walk.update(step);
    const before = isForward ? slopes : back(step - 1);
    const words = happens(study, tape, results, { step, isForward, slopes: before, isForgetful: !state.plus, parameter: state.parameter });
    say(title, words.title);
    say(says, words.says);
    replace(lines, words.lines.map((text) => element("li", {}, text)));
    replace(sources, sourcesOf(study, tape, step));
    const right = isForward ? slopes : backward(tape, results);
    table.update(tape, results, { step, isForward, slopes, right, parameter: state.parameter, isMoved: changed.has("entry") });
    lost.update(tape, results, state, isForward || state.plus ? null : right, point.given);
    if (changed.has("entry") && changed.size < SHOWS.length) say(live, `${words.title}. ${words.lines.join("; ")}.`);
  };
}

// Where an entry comes from: the line by hand, and JAX's.
function sourcesOf(study, tape, step) {
  const count = tape.computed.length;
  const entry = tape.computed[step > count ? 2 * count - step : step - 1];
  if (!entry) return [];
  const derivative = study.quantities.find(({ derivative }) => step > count && derivative?.[0] === study.loss && derivative[1] === entry.name);
  const hand = derivative ?? (step > count ? null : study.quantity[entry.name]);
  const jax = linked(study, tape).get(entry.at);
  return [
    hand?.where && element("span", {}, "By hand: ", element("code", {}, hand.statement), ` (${hand.where})`),
    jax && element("span", {}, "JAX: ", element("code", {}, jax)),
  ].filter(Boolean);
}

const folded = (summary, ...children) => element("details", {}, element("summary", {}, summary), children);

// The tape in Python, with the += marked.
function code(study) {
  const lines = study.listing.split("\n");
  const written = lines.map((line) => (line.includes("+=") ? element("mark", {}, `${line}\n`) : `${line}\n`));
  const length = lines.filter(Boolean).length;
  return folded(
    `Write it yourself: such a tape in ${length} lines of Python`,
    element("p", { class: "note" }, `From docs/autodiff.md, which goes on with it. Here σ is written with exp and a quotient; on the tape above, and in JAX, it is one operation with a slope of its own. Both tapes keep numbers below ${short(SMALLEST, 2)}, which JAX takes for zero. The line that adds is marked.`),
    element("pre", { role: "region", tabindex: 0, "aria-label": "The tape in Python" }, element("code", {}, written)),
  );
}

// JAX's whole program.
function program(study) {
  const { given, lines } = study.jaxpr;
  const head = given.map(([letter, name]) => `${letter} is ${name}`).join(", ");
  return folded(
    `JAX's program of the same loss: ${counted(lines.length, "line")}`,
    element("p", { class: "note" }, `What jax.make_jaxpr writes down for the loss of autodiff/: ${head}. jax.grad goes through these lines backwards. slice, squeeze and the like only pick numbers out of arrays.`),
    element("pre", { role: "region", tabindex: 0, "aria-label": "JAX's program" }, element("code", {}, lines.map(({ text }) => `${text}\n`))),
  );
}
