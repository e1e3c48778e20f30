// The route: nine short lessons, each with one thing to do and one to see.
//
//   title, says   what it is called, and its sentences
//   at            what is shown when it begins; what it does not name is as in defaults()
//   asks          what to do
//   acts          [[text of a button, (state, the point as the lesson begins, limits of numbers) =>
//                 what to set], ...]

const ALICE = { sample: "alice", seed: 44, edits: {}, epoch: 0, eta: 0.1, order: "fixed", mistake: null, quiz: false, form: "stable" };
const ONES = { ...ALICE, seed: null };

// How far the first lesson and the third move a parameter.
const MOVE = 0.1;

const moved = (names, by) => (state, point) => ({
  edits: { ...state.edits, ...Object.fromEntries(names.map((name) => [name, Number((point.given[name] + by).toPrecision(12))])) },
});

export const ROUTE = [
  {
    key: "slope",
    title: "Slope",
    says: [
      "The network takes two numbers of a person, x1, the weight above 135 lb, and x2, the height above 66 in, and ends in ypred, between 0 and 1: how sure it is that this is a woman. Alice, with 133 lb and 65 in, so with x1 = −2 and x2 = −1, is one, so y = 1 would be right, and L = (y − ypred)² says how wrong it is.",
      "On the way it adds up z1 = w1·x1 + w2·x2 + b1, and a curve, σ(z) = 1/(1 + e⁻ᶻ), presses that between 0 and 1: h1. In the same way h2 comes from w3, w4 and b2, and ypred from h1 and h2 with w5, w6 and b3. These nine, six weights and three biases, are the parameters.",
      "The slope ∂L/∂w1 is the move of L divided by the move of w1, where w1 moves a little and the other eight stay: it says what happens before it happens.",
    ],
    at: { ...ALICE, view: "nudge", parameter: "w1", step: 7 },
    asks: `Move w1 by ${MOVE}, then by ${MOVE / 10} instead.`,
    acts: [[`w1 + ${MOVE}`, moved(["w1"], MOVE)], [`w1 + ${MOVE / 10}`, moved(["w1"], MOVE / 10)]],
  },
  {
    key: "chain",
    title: "Chain",
    says: [
      "w1 does not touch L. It moves h1, h1 moves ypred, and ypred moves L.",
      "If h1 moves 2 times as much as w1, and ypred 3 times as much as h1, then ypred moves 6 times as much as w1: slopes along a chain multiply.",
      "Below, ∂L/∂w1 is such a product of three factors, each the slope of one link.",
    ],
    at: { ...ALICE, view: "equation", parameter: "w1", step: 18 },
    asks: "Double w5, the weight between h1 and ypred. Which of the three factors will move, and which cannot?",
    acts: [["double w5", (state, point) => ({ edits: { ...state.edits, w5: 2 * point.given.w5 } })]],
  },
  {
    key: "paths",
    title: "Two paths add",
    says: [
      "Suppose w1 and w3 were one and the same number t, used twice. Here both begin at 0.5.",
      "Moving t moves h1 and h2, and each of them moves L. What comes along the two paths adds: ∂L/∂t = ∂L/∂h1 · ∂h1/∂t + ∂L/∂h2 · ∂h2/∂t, and these two products are ∂L/∂w1 and ∂L/∂w3.",
      "Whoever forgets a path gets a wrong slope, and it does not look wrong.",
    ],
    at: { ...ALICE, edits: { w1: 0.5, w3: 0.5 }, view: "pass", parameter: "w1", step: 18 },
    asks: `Move t by ${MOVE}: w1 and w3 together.`,
    acts: [[`t + ${MOVE}`, moved(["w1", "w3"], MOVE)]],
  },
  {
    key: "backwards",
    title: "Why backwards",
    says: [
      "The nine slopes could be measured: nudge each number in turn and run the network again, ten passes for nine numbers, n + 1 for n.",
      "Going backwards costs about two passes more, however many numbers there are: all that w1, w2 and b1 do to L, they do through the sum z1. So ∂L/∂z1 is worked out once and serves all three; and ∂L/∂z3, of the sum in ypred, is worked out before and serves h1 and h2.",
      "Each slope is built from those behind it; nothing is computed twice.",
    ],
    at: { ...ALICE, view: "depth", step: 8 },
    asks: "Make the network below larger (a unit is a neuron, a layer is those side by side), and read what nudging would cost it, and what going backwards does.",
    acts: [["64 units in each layer", () => ({ units: 64 })], ["12 layers", () => ({ depth: 12 })]],
  },
  {
    key: "descent",
    title: "One step downhill",
    says: [
      "The slopes say where L rises. So each number takes a step the other way: w\u00a0←\u00a0w\u00a0−\u00a0η\u00a0∂L/∂w, where η, the learning rate, says how far.",
      "Each number then moves by η times its slope, and L by its slope times that: so L should fall by η times the sum of all nine squared slopes, as long as the slopes stay as they are.",
      "Alice, Bob, Charlie and Diana take a turn each; a round of four turns is an epoch, and each turn moves the same nine numbers.",
    ],
    at: { ...ALICE, view: "training", eta: 0.1, order: "fixed", step: 19 },
    asks: "Take one epoch: four steps, one for each person.",
    acts: [["an epoch on", ({ epoch }, _, limits) => ({ epoch: Math.min(epoch + 1, limits.epoch[1]), edits: {} })]],
  },
  {
    key: "saturation",
    title: "Saturation",
    says: [
      "With all weights 1, Bob's z1 is 31. There σ(z) = 1/(1 + e⁻ᶻ) is almost flat: σ(31) is 1 to thirteen digits, and its slope σ′(31) is 3·10⁻¹⁴.",
      "∂L/∂w1 has this slope as a factor, and nothing is learned from it: a step changes w1 in its fourteenth digit.",
      "Digits are lost, too: σ′ is f (1 − f), where f is σ(z), and 1 − f subtracts two numbers that are almost equal. 1 − σ(z) is σ(−z), so σ(z) σ(−z), as by hand here, is the same without that.",
      "The article that this page follows writes f (1 − f), and autodiff, a program that differentiates whatever loss it is given, computes that, too: hence the ≠.",
    ],
    at: { ...ONES, sample: "bob", view: "pass", parameter: "w1", step: 18 },
    asks: "Compute σ′ by hand as f (1 − f), too.",
    acts: [
      ["σ′ as f (1 − f)", () => ({ form: "article" })],
      ["as σ(z) σ(−z)", () => ({ form: "stable" })],
    ],
  },
  {
    key: "symmetry",
    title: "Symmetry",
    says: [
      "With all weights 1 and biases 0, h1 and h2 get the same and send on the same.",
      "So they have equal slopes, take equal steps, and are equal again: two units that stay twins do the work of one, however long they train. (For four people that is almost enough.)",
      "A random start (its seed, 44 say, names the draw) makes them different, and from then on they go their own ways.",
    ],
    at: { ...ONES, view: "training", eta: 0.1, step: 18, parameter: "w1" },
    asks: "Train for 300 epochs from all weights 1, then from a random start.",
    acts: [
      ["all 1, 300 epochs", () => ({ seed: null, epoch: 300, edits: {} })],
      ["from seed 44", () => ({ seed: 44, epoch: 300, edits: {} })],
    ],
  },
  {
    key: "agreement",
    title: "Agreement is not truth",
    says: [
      "The article prints its loss without the square: (y − ypred).",
      "Take that over on both sides: by hand ∂L/∂ypred is −1 whatever was predicted, and autodiff differentiates the loss it is given and says −1 as well. They agree in every digit, and both are wrong.",
      "The table below is such a training, from seed 0: everybody ends as F, a woman.",
      "A comparison sees only what differs between the two; a truth that comes from neither is needed, or a look at what comes out.",
    ],
    at: { ...ALICE, view: "errata", erratum: 1, printed: true, section: null, step: 8 },
    asks: "Now forget the square by hand alone, and look at step 8.",
    acts: [
      ["forget it by hand", () => ({ mistake: "missing-square" })],
      ["put it right", () => ({ mistake: null })],
    ],
  },
  {
    key: "depth",
    title: "Depth",
    says: [
      "On the way back through each layer of σ the slopes are multiplied by its σ′, which is at most 1/4, and by weights.",
      "Nine factors of 1/4, from the tenth layer to the first, leave four millionths: the first layers hear almost nothing of L and hardly learn. Gradients vanish.",
      "ReLU(z), which is z above 0 and 0 below, has the slope 1 or 0; with weights of the right size, what comes back stays within a factor of about ten.",
    ],
    at: { ...ALICE, view: "depth", step: 18 },
    asks: "Compare sigmoid, which is σ, with ReLU, then start with larger weights.",
    acts: [["ReLU", () => ({ act: "relu" })], ["sigmoid", () => ({ act: "sigmoid" })], ["weights 1.41 times as large", ({ scale }, _, limits) => ({ scale: Math.min(limits.scale[1], Number((scale * Math.SQRT2).toPrecision(3))) })]],
  },
];

