// Fields of a lesson's state: what they are at first, and how the address is read.

// Before the guess of a lesson it is at most `until`.
export const number = (low, high, otherwise, until = high) => ({
  low,
  high,
  otherwise,
  until,
  read(text) {
    const value = text ? Number(text) : NaN;
    return low <= value && value <= high ? value : null;
  },
});

export function whole(...ends) {
  const field = number(...ends);
  const read = (text) => (Number.isInteger(Number(text)) ? field.read(text) : null);
  return { ...field, read };
}

// How often something was played, which begins with the guess.
export const count = () => whole(0, 1e6, 0, 0);

// One of a few words.
export const choice = (options, otherwise) => ({ options, otherwise, read: (text) => (options.includes(text) ? text : null) });

// What somebody types.
export const text = () => ({ otherwise: "", read: (text) => text && text.slice(0, 20) });
