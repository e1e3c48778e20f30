// Elements of HTML, SVG and MathML, made in one call.

const SVG = "http://www.w3.org/2000/svg";

// element("button", { class: "quiet", onclick: act }, "Alice")
export const element = (tag, attributes, ...children) =>
  filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

function filled(node, attributes, children) {
  set(node, attributes ?? {});
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Set attributes. Functions named on... become listeners; true and false set and remove an attribute, except
// for aria- and data- attributes, where they are written out.
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") || name.startsWith("data-")) setText(node, name, value);
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else setText(node, name, value === true ? "" : value);
  }
  return node;
}

function setText(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// Hide a node; if it contained the focus, move that to the node `heir`.
export function hide(node, isHidden, heir) {
  const hadFocus = isHidden && node.contains(document.activeElement);
  set(node, { hidden: isHidden });
  if (hadFocus) heir.focus({ preventScroll: true });
}

// Set text only when it changes, because layout is expensive.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren(...children.flat());
  return node;
}
