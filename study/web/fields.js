// Fields of a lesson's state: what they are at first, and how the address is read.

export const number = (low, high, otherwise) => ({
  low,
  high,
  otherwise,
  read(text) {
    const value = text ? Number(text) : NaN;
    return low <= value && value <= high ? value : null;
  },
});

// How often something was played.
export const count = () => number(0, 1e6, 0);

// One of a few words.
export const choice = (options, otherwise) => ({ options, otherwise, read: (text) => (options.includes(text) ? text : null) });

// What somebody types.
export const text = () => ({ otherwise: "", read: (text) => text && text.slice(0, 20) });
