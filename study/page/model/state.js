// The state, all that the reader has chosen, and how it is written into the address.

import { isFit } from "./outputs.js";
import { ROUTE } from "./route.js";
import { tapeOf } from "./tape.js";

// Epochs of a training.
export const EPOCHS = 1000;

// The largest and the smallest step of a difference, as powers of ten: 1e-1 to 1e-12.
export const NUDGES = [1, 12];

// Of the networks that the depth view draws: the activations, how many layers, and units in each, and how large the
// weights are, in units of 1 / √units.
export const ACTIVATIONS = ["sigmoid", "tanh", "relu"];
export const DEPTHS = [1, 12];
export const WIDTHS = [1, 64];
export const SCALES = [0.1, 10];

// The lowest and the highest of each number that can be chosen.
export function limits(study) {
  return {
    seed: [0, 4294967295], // as NumPy takes them
    eta: [Math.min(1e-6, study.eta), Math.max(100, study.eta)],
    epoch: [0, EPOCHS],
    nudge: NUDGES,
    scale: SCALES,
    entry: [0, 2 * tapeOf(study, study.begin.form).computed.length], // there and back
  };
}

// The views by the name that the address has for them, in the order of the list, and what it calls them.
export const VIEWS = {
  pass: "The pass",
  equation: "Equation",
  nudge: "Nudge",
  surface: "Surface",
  training: "Training",
  depth: "Depth",
  autodiff: "Autodiff",
  you: "You",
  quiz: "Quiz",
  break: "Break it",
  errata: "Errata",
};

// What an address without a view asks to see, by what else it says.
const MEANT = {
  break: ({ mistake }) => mistake !== null,
  quiz: ({ quiz }) => quiz,
  errata: ({ erratum, printed, section }) => erratum !== null || printed || section !== null,
};
const meant = (state) => Object.keys(MEANT).find((view) => MEANT[view](state)) ?? "pass";

// The checks of a planted mistake, from the weakest evidence to the strongest, then the updates.
export const CHECKS = ["outcome", "training", "difference", "autodiff", "exact", "update"];

// What the quiz can ask for: the wrong line only where there are mistakes.
export const levelsOf = ({ mistakes }) => ["sign", "value", "factor", ...(mistakes?.length ? ["line"] : [])];

// The forms of σ' by hand, as shown.
export const FORMS = { stable: "σ(z) σ(−z)", article: "f (1 − f)" };

// The inputs and targets that can be set: those of a page with one example. People are who they are.
const settableInputs = (study) => (study.samples.length > 1 ? [] : Object.keys(study.samples[0].given));

// The edits that apply to this page.
export const inputsSet = (study, { edits }) =>
  Object.fromEntries(settableInputs(study).filter((name) => name in edits).map((name) => [name, edits[name]]));

// The whole state with its defaults; in a lesson, as that begins.
export function defaults(study, lesson = null) {
  return { ...usual(study), ...(lesson && { lesson, ...ROUTE[lesson - 1].at }) };
}

function usual(study) {
  return {
    view: null, // what stands beside the network; null until an address is read
    lesson: null, // the number of the lesson that is read
    sample: study.begin.sample, // the example: `person` in the address
    step: 1, // the number of micro-steps done
    seed: study.begin.seed, // parameters drawn at random; null: those of the first start
    edits: {}, // parameters and inputs that the reader has set, by name
    form: study.begin.form, // of σ' by hand
    eta: study.eta,
    epoch: 0, // the current epoch of the training
    order: "fixed", // of the samples of a training: fixed or shuffled
    parameter: study.parameters[0], // the chosen one
    pinned: false, // whether the equation keeps showing it while others are pointed at
    pointed: null, // the parameter that is pointed at, not in the address
    lit: [], // highlighted quantities, not in the address
    playing: null, // what advances automatically: steps or training, not in the address
    show: "auto", // on the network: values, gradients, or one after the other as the pass goes
    digits: false, // whether all three witnesses are shown where they agree
    nudge: 1, // how far the chosen parameter is moved for the secant, a power of ten
    close: false, // whether the nudge is magnified
    axes: null, // of the surface; null: the two parameters that the training changes most
    tape: "reverse", // the mode of autodiff that is shown
    entry: 1, // how many entries of the tape are done, there and back
    plus: true, // whether what comes back along two paths is added
    printed: false, // errata: the article as it is printed
    section: null, // of the article: only its errata
    erratum: null, // the number of the one that is open
    mistake: null, // the mistake planted in the hand-written lines
    group: null, // of mistakes, by what goes wrong; null: that of the planted one, or the first
    blind: null, // only mistakes that this check does not see
    quiz: false,
    level: "sign", // what the quiz asks for
    revealed: null, // the answered question, not in the address
    unit: "lb",
    you: null, // weight and height, in lb and in
    depth: 10, // layers of the network that the depth view draws
    units: 32, // in each
    act: "sigmoid", // their activation
    scale: 1, // of their weights
    draw: 1, // the seed of the draw
    digit: null, // the image that goes through the digits network; null: the network is a drawn one
  };
}

// How each choice is written and parsed; an invalid value is ignored.
function codecs(study) {
  const { seed: seeds, eta, epoch, nudge, scale, entry } = limits(study);
  const one = (of) => ({ write: (value) => value, read: (text) => (of.includes(text) ? text : undefined) });
  const number = (low, high, whole = false) => ({
    write: (value) => (value === null ? undefined : String(value)),
    read: (text) => {
      const value = Number(text);
      const fits = text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value));
      return fits ? value : undefined;
    },
  });
  const flag = { write: (value) => (value ? "1" : "0"), read: (text) => ({ 1: true, 0: false })[text] };
  const finite = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined);
  const seed = {
    write: (value) => (value === null ? "ones" : String(value)),
    read: (text) => (text === "ones" ? null : number(...seeds, true).read(text)),
  };
  const settable = new Set([...study.parameters, ...settableInputs(study)]);
  return {
    view: one(viewsOf(study)),
    ...(study.people && { lesson: number(1, ROUTE.length, true) }),
    sample: one(study.samples.map((sample) => sample.key)),
    step: number(0, study.steps.length, true),
    // A page has a seed only if its parameters can be drawn.
    ...(study.starts.length > 1 && { seed }),
    edits: {
      write: (edits) => Object.entries(edits).map(([name, value]) => `${name}:${value}`).join(";"),
      read: (text) => {
        const pairs = text.split(";").map((pair) => pair.split(":"));
        const fits = pairs.every(([name, value]) => settable.has(name) && isFit(study, name, finite(value ?? "")));
        return fits ? Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)])) : undefined;
      },
    },
    form: one(Object.keys(study.programs)),
    eta: number(...eta),
    epoch: number(...epoch, true),
    order: one(["fixed", "shuffled"]),
    parameter: one(study.parameters),
    pinned: flag,
    show: one(["auto", "values", "gradients"]),
    digits: flag,
    nudge: number(...nudge, true),
    close: flag,
    axes: {
      write: (axes) => axes?.join(";"),
      read: (text) => {
        const axes = text.split(";");
        return axes.length === 2 && axes.every((name) => study.parameters.includes(name)) ? axes : undefined;
      },
    },
    tape: one(["reverse", "forward"]),
    entry: number(...entry, true),
    plus: flag,
    printed: flag,
    section: one((study.errata ?? []).map((slip) => slip.section)),
    erratum: number(1, study.errata?.length ?? 0, true),
    mistake: one((study.mistakes ?? []).map((mistake) => mistake.slug)),
    group: one(["all", ...Object.keys(study.groups)]),
    blind: one(CHECKS),
    quiz: flag,
    level: one(levelsOf(study)),
    unit: one(["lb", "kg"]),
    you: {
      write: (you) => (you === null ? undefined : you.join(";")),
      read: (text) => {
        const you = text.split(";").map(finite);
        return you.length === 2 && !you.includes(undefined) ? you : undefined;
      },
    },
    depth: number(...DEPTHS, true),
    units: number(...WIDTHS, true),
    act: one(ACTIVATIONS),
    scale: number(...scale),
    draw: number(...seeds, true),
    digit: number(0, study.digits.images.length - 1, true),
  };
}

// The views that this page has.
export function viewsOf(study) {
  const lacks = { surface: study.parameters.length < 2, break: !study.mistakes?.length, errata: !study.errata };
  return Object.keys(VIEWS).filter((view) => !lacks[view]);
}

// Whether a part of the state is written into the address.
export const isInAddress = (study, key) => key in codecs(study);

// A sample is a person in the address, as people call it.
const CALLED = { sample: "person" };

// The part of the address after #: what differs from the defaults.
export function toAddress(study, state) {
  const { lesson, ...begun } = defaults(study, state.lesson);
  const usual = { ...begun, lesson: null, view: begun.view ?? meant(state) };
  const parts = [];
  for (const [key, { write }] of Object.entries(codecs(study))) {
    const value = state[key];
    if (value === null && key === "view") continue; // it follows from the rest
    if (JSON.stringify(value) === JSON.stringify(usual[key])) continue;
    parts.push(`${CALLED[key] ?? key}=${encodeURIComponent(write(value))}`);
  }
  return parts.join("&");
}

// Parse the state from an address. Invalid parts are skipped, and listed.
export function fromAddress(study, hash) {
  const unread = [];
  const readers = codecs(study);
  const state = defaults(study, readers.lesson?.read(/(?:^|[#&])lesson=(\d+)/.exec(hash)?.[1] ?? ""));
  const keys = Object.fromEntries(Object.keys(readers).map((key) => [CALLED[key] ?? key, key]));
  for (const part of hash.replace(/^#/, "").split("&").filter(Boolean)) {
    const [name, text = ""] = part.split("=");
    const key = Object.hasOwn(keys, name) ? keys[name] : null;
    const value = key ? readers[key].read(decoded(text)) : undefined;
    if (value === undefined) unread.push(part);
    else state[key] = value;
  }
  state.view ??= meant(state);
  return { state, unread };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
