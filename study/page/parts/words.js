// Helpers for writing sentences.

// With a capital letter in front; a name of the mathematics, like w1 or f′, stays as it is.
export const capital = (text) => (/^[a-z]+(?![\w'′])/.test(text) ? `${text[0].toUpperCase()}${text.slice(1)}` : text);

// 1 epoch, 2 epochs.
export const counted = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;
