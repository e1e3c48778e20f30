// The third lesson's picture: a number t that is used twice, both paths to L, and what comes back along them.

import { short } from "../../mathematics/numbers.js";
import { element, say, set, svg } from "../../parts/dom.js";
import { picture } from "../../parts/picture.js";

// In pixels; the longest label is about so wide.
const [HEIGHT, RADIUS, LABEL] = [190, 19, 92];

// Each path: the node it goes through, the weight that t is there, and the slopes by the node and by the weight.
const PATHS = [
  { node: "h1", weight: "w1", last: "dypred_dh1", first: "dh1_dw1" },
  { node: "h2", weight: "w3", last: "dypred_dh2", first: "dh2_dw3" },
];

export function paths() {
  const text = (name) => svg("text", { class: name, "text-anchor": "middle" });
  const drawn = PATHS.map(() => ({ lines: [svg("line"), svg("line")], labels: [text("slope"), text("slope")], product: text("product"), circle: svg("circle", { r: RADIUS }), name: text("name") }));
  const [t, loss] = [svg("circle", { r: RADIUS }), svg("rect", { width: 2 * RADIUS, height: 2 * RADIUS, rx: 6 })];
  const [tName, lossName] = [text("name"), text("name")];
  const lines = drawn.flatMap((of) => of.lines);
  const shown = picture(HEIGHT, draw, ...lines, ...drawn.flatMap((of) => [of.circle, of.name, ...of.labels, of.product]), t, loss, tName, lossName);
  const sum = element("figcaption");
  say(tName, "t");
  say(lossName, "L");
  drawn.forEach((of, k) => say(of.name, PATHS[k].node));

  function draw(width) {
    const [left, middle, right] = [RADIUS + 4, width / 2, width - RADIUS - 4];
    const centre = HEIGHT / 2;
    const put = (node, x, y) => set(node, { x, y: y + 5 });
    set(t, { cx: left, cy: centre });
    set(loss, { x: right - RADIUS, y: centre - RADIUS });
    put(tName, left, centre);
    put(lossName, right, centre);
    drawn.forEach(({ lines: [from, to], labels, product, circle, name }, k) => {
      const way = k ? 1 : -1; // down or up
      const y = centre + way * 46;
      set(from, { x1: left, y1: centre, x2: middle, y2: y });
      set(to, { x1: middle, y1: y, x2: right, y2: centre });
      set(circle, { cx: middle, cy: y });
      put(name, middle, y);
      // In the middle of its line, but clear of the node.
      const off = Math.max((middle - left) / 2, RADIUS + LABEL / 2);
      labels.forEach((label, at) => put(label, middle + (at ? off : -off), (centre + y) / 2 + way * 23));
      put(product, middle, y + way * 36);
    });
  }

  return {
    node: element("figure", { class: "paths" }, shown.node, sum),
    // At a point at which both weights are t.
    update({ by_hand: of, given }) {
      const slopes = PATHS.map(({ last, first }) => [of[first], of.dL_dypred * of[last]]);
      const along = slopes.map(([first, last]) => first * last);
      PATHS.forEach(({ node }, k) => {
        const [first, last] = slopes[k].map((slope) => short(slope, 3));
        say(drawn[k].labels[0], `∂${node}/∂t ${first}`);
        say(drawn[k].labels[1], `∂L/∂${node} ${last}`);
        say(drawn[k].product, `through ${node}: ${short(along[k], 5)}`);
      });
      // Of the sum fewer digits, so that those of the terms add up to it.
      const terms = `${short(along[0], 5)} ${along[1] < 0 ? "−" : "+"} ${short(Math.abs(along[1]), 5)}`;
      say(sum, `At t = ${short(given.w1, 3)}: ∂L/∂t = ${terms} = ${short(along[0] + along[1], 4)}`);
      set(shown.drawing, { "aria-label": `Two paths from t to L, through h1 and through h2. ${PATHS.map((_, k) => drawn[k].product.textContent).join(", ")}.` });
      shown.redraw();
    },
  };
}
