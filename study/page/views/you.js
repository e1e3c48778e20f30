export function you() {
  return () => {};
}
