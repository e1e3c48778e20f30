// What stays at the top of a narrow screen must not hide what is scrolled to or has the focus.

export function keepClear(always) {
  const root = document.documentElement;
  const measure = () => {
    const isSticky = getComputedStyle(always).position === "sticky";
    root.style.scrollPaddingTop = isSticky ? `${always.offsetHeight + 8}px` : "";
  };
  new ResizeObserver(measure).observe(always);
  addEventListener("resize", measure);
}
