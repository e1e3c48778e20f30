// Both losses update by update: that of the sample whose turn it is, and the mean.

import { mean } from "../../mathematics/mathematics.js";
import { short, signed } from "../../mathematics/numbers.js";
import { planted } from "../../model/mistakes.js";
import { element, replace, say, set, svg } from "../../parts/dom.js";
import { picture } from "../../parts/picture.js";
import { axes, clipped, inside, legend, through } from "../../parts/plot.js";
import { linear } from "../../parts/scales.js";
import { top } from "./curve.js";

const HEIGHT = 200;

// Milliseconds without a change after which the rises are counted.
const REST = 300;

// At least so many updates are shown at a time, and so many epochs.
const WINDOW = { updates: 20, epochs: 5 };

// Around the current epoch, update by update: the loss of the sample whose turn it is, before and
// after its update, and the mean of all. The former falls, then
// it is the next sample's turn; the mean may rise.
export function sawtooth(store) {
  const { study } = store;
  const several = study.samples.length > 1;
  const letters = study.samples.map(({ name }) => name[0]);
  const frame = axes();
  const [own, jumps, middle] = ["own", "jump", "mean"].map((name) => svg("path", { class: name }));
  const here = svg("line", { class: "upright here" });
  const turns = svg("g", { class: "turns", "aria-hidden": "true" });
  const within = clipped(jumps, middle, own);
  const shown = picture(HEIGHT, draw, frame.node, here, within.node, turns);
  const says = element("p", { class: "says" });
  const count = element("p", { class: "says" });
  const node = element(
    "figure",
    { class: "sawtooth" },
    element("figcaption", {}, several ? "Update by update, around this epoch" : "Update by update"),
    shown.node,
    legend([
      ["own", several ? "loss of the one whose turn it is, before and after" : "loss, before and after"],
      ...(several ? [["mean", "mean loss of all"]] : []),
    ]),
  );
  let now = null;
  let counting = null;

  function draw(width, height) {
    const { of, from, to, at } = now;
    const losses = [];
    for (let k = from; k <= to; k += 1) losses.push(of.lossesAt(of.path[k]));
    const before = (k) => losses[k - from][of.order[k]];
    const after = (k) => losses[k + 1 - from][of.order[k]];
    const means = losses.map(mean);
    const places = inside(width, height);
    const updates = Array.from({ length: to - from }, (_, k) => from + k);
    const x = linear([from, Math.max(to, from + 1)], places.x);
    const y = linear([0, top([...means, ...updates.map(before), ...updates.map(after)])], places.y);
    frame.update(x, y, "updates", "loss");
    within.update(x, y);
    const teeth = updates.map((k) => [[x(k), y(before(k))], [x(k + 1), y(after(k))]]);
    set(own, { d: teeth.map(through).join("") });
    set(jumps, {
      d: teeth
        .slice(1)
        .map((tooth, k) => through([teeth[k][1], tooth[0]]))
        .join(""),
    });
    set(middle, { d: several ? through(means.map((value, k) => [x(from + k), y(value)])) : "" });
    set(here, { x1: x(at), x2: x(at), y1: places.y[0], y2: places.y[1] });
    replace(
      turns,
      several
        ? updates.map((k) =>
            svg("text", { x: x(k + 0.5), y: places.y[1] - 2, "text-anchor": "middle" }, letters[of.order[k]]),
          )
        : [],
    );
  }

  // Counting takes thousands of losses: after the first time it waits until nothing has changed for a while.
  // Meanwhile the old text is invisible but keeps its space, so that nothing below it moves.
  function tally(state, of) {
    clearTimeout(counting);
    if (counting === null) of.counted();
    counting = of.found ? 0 : setTimeout(() => tally(state, of.counted()), REST);
    count.style.visibility = of.found ? "" : "hidden";
    if (of.found) say(count, of.updates > 0 ? rises(state, of) : "");
  }

  // A sentence about the next update, or at the end about the last one.
  function told(state, { of, at }) {
    if (of.updates === 0) return "";
    const isNext = at < of.updates;
    const k = isNext ? at : at - 1;
    const step = of.update(k, state.eta);
    const change = step.own[1] - step.own[0];
    const { name } = study.samples[step.sample];
    const isEdited = study.parameters.some((name) => name in state.edits);
    const which = `${isEdited ? "Without your changes the" : "The"} ${isNext ? "next" : "last"} update`;
    const whose = several ? `${which} is ${name}’s. It takes ${name}’s own loss` : `${which} takes the loss`;
    const first = planted(study, state) ? "" : `; to first order −η‖∇L‖² = ${signed(step.expected)}`;
    const whole = several
      ? ` The mean of all goes from ${short(step.mean[0])} to ${short(step.mean[1])}: it ${way(step.mean)}.`
      : "";
    return `${whose} from ${short(step.own[0])} to ${short(step.own[1])}, a change of ${signed(change)}${first}.${whole}`;
  }

  function rises(state, { updates, found }) {
    if (!several) return `Of all ${updates} updates, ${found.own} raised the loss.`;
    const both = `Of all ${updates} updates, ${found.own} raised the loss of their own sample, and ${found.mean} raised the mean loss.`;
    if (planted(study, state)) return both;
    return `${both} An update is made for one sample: to first order it lowers that loss, and it promises nothing of the others’.`;
  }

  return {
    node,
    words: [says, count],
    update(state, of) {
      now = { of, ...windowed(of, state.epoch) };
      const sentence = told(state, now);
      say(says, sentence);
      set(shown.drawing, { "aria-label": `Losses of updates ${now.from} to ${now.to}, as a sawtooth. ${sentence}` });
      tally(state, of);
      shown.redraw();
    },
  };
}

const way = ([before, after]) => (after > before ? "rises" : after < before ? "falls" : "stays");

// The updates to show, and the one at which the reader is.
function windowed({ count, updates }, epoch) {
  const span = Math.max(WINDOW.updates, WINDOW.epochs * count);
  const at = Math.min(epoch * count, updates);
  const from = Math.max(0, Math.min(at - Math.floor(span / 2), updates - span));
  return { from, to: Math.min(from + span, updates), at };
}
