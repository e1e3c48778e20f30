export function breakIt() {
  return () => {};
}
