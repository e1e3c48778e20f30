export function derivation() {
  return () => {};
}
