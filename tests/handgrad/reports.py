"""Reports made by hand, for the tests of how they read."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from handgrad import Enclosure, Finding, GradientReport, LeafReport

#: 0.1 + 0.2 is a neighbour of 0.3.
RIGHT = LeafReport(
    path="params['w']",
    shape=(2, 3),
    dtype="float64",
    verdict="agree",
    index=(0, 1),
    yours=0.3,
    autodiff=0.1 + 0.2,
    exact=Enclosure("0.29999999999999998765432", 1e-40),
    ulps=0.02,
    ulps_autodiff=1.02,
    sharp=2e-16,
    loose=1e-15,
    detection_limit=3e-14,
    elements=6,
    judged=6,
)

#: Bob's weight, with a zero in its place.
BOB = replace(
    RIGHT,
    verdict="disagree",
    yours=0.0,
    autodiff=1.5914044194236e-13,
    exact=Enclosure("1.59176773427388642317878787e-13", 1e-50),
    ulps=6.3e15,
    ulps_autodiff=1.44e12,
    sharp=3.1e-28,
    loose=1.2e-16,
)

ZERO = Finding("zero", "params['w']", (0, 1), "yours is 0 where the exact value is not", 1.0)


def leaf(path: str = RIGHT.path, like: LeafReport = RIGHT, **changes: Any) -> LeafReport:
    return replace(like, path=path, **changes)


def report(*leaves: LeafReport, **changes: Any) -> GradientReport:
    """A report of `leaves`, `agree` unless changed."""
    fields: dict[str, Any] = {
        "verdict": "agree",
        "blame": None,
        "headline": "agree: all elements are right",
        "observed": (),
        "warnings": (),
        "certificate": "Every element was certified.",
        "reproduce": "handgrad.check_gradient(gradient, loss, params, x, points=8, seed=0)",
        "points": 9,
        "dropped": 0,
    }
    made = GradientReport(**fields | changes)
    vars(made)["leaves"] = leaves  # as after unpickling
    return made


def wrong(*leaves: LeafReport, **changes: Any) -> GradientReport:
    """A report of a zero in place of Bob's weight, and of more leaves."""
    fields = {
        "verdict": "disagree",
        "blame": "both",
        "headline": "disagree: params['w'][0, 1] is not the derivative",
        "observed": (ZERO,),
    }
    return report(BOB, *leaves, **fields | changes)


def timings(yours: float = 4.321e-3, late: float = 10.0, **changes: Any) -> Any:
    """Timings of a gradient whose first call takes so much less time than autodiff's."""
    from handgrad.speed.rounds import Ratio, rival
    from handgrad.speed.timings import Timings

    still = Ratio(1.0, 0.98, 1.03)
    fields: dict[str, Any] = {
        "yours": yours,
        "first_call": None,
        "autodiff": rival([yours] * 6, [1e-3] * 6, still, late),
        "on_device": rival([2e-3] * 6, [1e-3] * 6, still, late),
        "first_call_of_autodiff": 10.0,
        "loss": 2e-5,
        "compiled_loss": 3.14159e-7,
        "noise": still,
        "static": (),
        "not_compiled": None,
        "device": "cpu",
        "rounds": 6,
    }
    return Timings(**fields | changes)


class Page(HTMLParser):
    """Elements that are open at the end, links, places and the text of some HTML."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links, self.places, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        named = dict(attrs)
        self.links += [named["href"]] if "href" in named else []
        self.places += [f"#{named['id']}"] if "id" in named else []
        self.open += [] if tag in ("meta", "br", "link") else [tag]
        assert tag not in ("script", "i", "b"), "text is escaped"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"
