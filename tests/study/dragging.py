"""How much the page has to do from a movement of the pointer to new numbers everywhere."""

from playwright.sync_api import Page

#: Draws the handle of a parameter to and fro; each movement is answered and laid out.
_DRAG = """
([parameter, count]) => {
  const handle = document.querySelector(`#network [role=button][data-parameter="${parameter}"]`);
  const box = handle.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const event = (type, dx) => {
    const at = { clientX: x + dx, clientY: y, pointerId: 1, bubbles: true };
    handle.dispatchEvent(new PointerEvent(type, at));
  };
  handle.setPointerCapture = () => {};
  event("pointerdown", 0);
  for (let k = 1; k <= count; k += 1) {
    event("pointermove", 4 * k);
    document.body.getBoundingClientRect();
  }
  event("pointerup", 0);
}
"""


def drag(page: Page, parameter: str = "w1", count: int = 60) -> float:
    """Draw a weight in the network; milliseconds of script and layout for a movement.

    Of the page's own thread on the processor: what else runs on the machine does not count.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")

    before = seconds()
    page.evaluate(_DRAG, [parameter, count])
    return 1000 * (seconds() - before) / count
