export function errata() {
  return () => {};
}
