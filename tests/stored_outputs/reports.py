"""Reports on gradients, and all the forms that they can be read in."""

import io
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any


def reports() -> dict[str, Callable[[], dict[str, Any]]]:
    """What makes each report, by its name."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    import handgrad
    from handgrad import check_backward, check_custom, check_gradient, check_steps

    plain_losses, zoo, heldout, verdicts, wrong_gradients, recorded = (
        import_module(f"subjects.{name}")
        for name in (
            *("plain_losses", "zoo", "heldout", "test_verdicts"),
            *("smallest.wrong_gradients", "steps.recorded_problem"),
        )
    )
    found: dict[str, Callable[[], dict[str, Any]]] = {}

    def add(name: str, make: Any, *given: Any, extra: tuple[str, ...] = (), **options: Any) -> None:
        found[name] = partial(forms, partial(make, *given, **options), extra)

    def judged(name: str, gradient: Any, model: Any, *dtype: Any, **options: Any) -> None:
        point = model.draw(np.random.default_rng(17), *dtype)
        options = {"points": 1} | options
        add(name, check_gradient, gradient, model.loss, *point, **options)

    for at, model in enumerate(zoo.ZOO):
        dtype = np.float32 if at % 4 == 3 else np.float64
        judged(f"zoo {model.name}", model.gradient, model, dtype)
        if at % 2 == 0:
            slug = sorted(model.mistakes)[at // 2 % len(model.mistakes)]
            judged(f"zoo {model.name} {slug}", model.mistakes[slug], model, dtype)
    for model in heldout.HELD_OUT:
        judged(f"heldout {model.name}", model.gradient, model)
        for slug in sorted(model.mistakes)[::6]:
            judged(f"heldout {model.name} {slug}", model.mistakes[slug], model)
    for name, model in plain_losses.ALL.items():
        judged(f"plain {name}", model.gradient, model)
    for model in wrong_gradients.WRONG:
        gradient = getattr(wrong_gradients, model.name)
        judged(f"wrong {model.name}", gradient, model, extra=("counterexample", "power"))
    for row in verdicts.ROWS:
        name = f"verdict {row.name}"
        add(name, check_gradient, row.gradient, row.loss, *row.point, **row.options)

    def halved(dz: Any, cache: Any) -> Any:
        return dz * cache[1][None, :], (dz * cache[0]).sum(axis=0) / 2

    of_steps = {
        "one that does no harm": recorded.made_of(),
        "scale": recorded.made_of(scale=recorded.called("scale_backward", halved)),
        "relu": recorded.made_of(relu=recorded.called("relu_backward", lambda da, z: da)),
    }
    point = recorded.loss, recorded.PARAMS, recorded.X, recorded.Y
    for name, gradient in of_steps.items():
        add(f"steps {name}", check_gradient, gradient, *point, points=0, extra=("steps",))

    x, w = np.linspace(-1.0, 2.0, 6).reshape(2, 3), np.linspace(0.5, -0.75, 6).reshape(3, 2)
    b = np.array([0.1, 0.2])

    def tanh(z: Any) -> Any:
        return jnp.tanh(z), jnp.tanh(z)

    @jax.custom_jvp
    def soft(z: Any) -> Any:
        return jnp.log1p(jnp.exp(z))

    @jax.custom_vjp
    def clipped(z: Any) -> Any:
        return jnp.sin(z)

    soft.defjvp(lambda z, dz: (soft(*z), dz[0] / (1 + jnp.exp(-z[0]))))
    clipped.defvjp(lambda z: (jnp.sin(z), z), lambda z, da: (jnp.clip(da, -0.1, 0.1) * jnp.cos(z),))
    affine = recorded.affine_forward, recorded.affine_backward
    right, wrong = (tanh, lambda da, a: da * (1 - a * a)), (tanh, lambda da, a: da * (1 - a))
    add("backward right", check_backward, *right, x, extra=("power",))
    add("backward wrong", check_backward, *wrong, x, extra=("counterexample",))
    add("backward with a cotangent", check_backward, *right, x, cotangent=2 * x, points=1)
    add("backward of several", check_backward, *affine, x, w, b, strict=True)
    add("backward refused", check_backward, *right, x, cotangent=w)
    add("custom right", check_custom, soft, x, extra=("power",))
    add("custom wrong", check_custom, clipped, x, extra=("counterexample",))
    add("custom refused", check_custom, jnp.sin, x)
    first = ("affine", *affine, (w, b))
    add("steps right", check_steps, [first, ("tanh", *right)], x, points=2)
    add("steps wrong", check_steps, [first, ("tanh", *wrong)], x, points=2)
    add("steps refused", check_steps, [("tanh", tanh)], x)

    def double(p: Any) -> Any:
        return 2 * p

    def squares(p: Any) -> Any:
        return jnp.sum(p**2)

    add("by program", check_gradient, double, squares, x, referee="program")
    add("by series", check_gradient, double, squares, x, referee="series", seed=5)
    add("at a list", check_gradient, double, squares, x[0], points=[(x[0],), (x[1],)])
    add("trusted", check_gradient, double, squares, x, trust_rules=[jax.nn.relu], strict=True)
    refused = {"referee": "none", "seed": -1, "points": -1, "trust_rules": "relu"}
    for option, value in refused.items():
        add(f"refused {option}", check_gradient, double, squares, x, **{option: value})
    for params in (np.ones(2, int), {}, np.array([np.inf]), None):
        add(f"refused params {params}", check_gradient, double, squares, params)
    add("refused gradient", check_gradient, 3, squares, x)
    add("refused loss", check_gradient, double, double, x)
    add("assert_gradient", handgrad.assert_gradient, lambda p: p, squares, x)
    mixed = {"a": x, "b": np.float32(0.3)}
    add("exact exp", handgrad.exact_gradient, jnp.exp, np.float64(1))
    add("exact tree", handgrad.exact_gradient, lambda p: jnp.sum(jnp.sin(p["a"]) * p["b"]), mixed)
    add("exact kink", handgrad.exact_gradient, jnp.abs, np.float64(0))
    add("exact pole", handgrad.exact_gradient, lambda p: 1 / p, np.float64(0))
    add("exact underflow", handgrad.exact_gradient, lambda p: jnp.exp(-(p**2)), np.float64(2e3))
    return found


def forms(make: Callable[[], Any], extra: tuple[str, ...]) -> dict[str, Any]:
    """A report in all the forms that it can be read in; of a refusal, its message."""
    from rich.console import Console

    try:
        report = make()
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}
    found: dict[str, Any] = {"str": str(report)}
    if hasattr(report, "to_dict"):
        found["dict"] = report.to_dict()
    if hasattr(report, "_repr_html_"):
        found["html"] = report._repr_html_()
    if hasattr(report, "__rich__"):
        console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="256")
        console.print(report)
        found["rich"] = console.file.getvalue()  # type: ignore[attr-defined]
    if "counterexample" in extra and (example := report.counterexample):
        found["counterexample"] = [str(example), example.as_code()]
    if "power" in extra:
        found["power"] = [str(power := report.power()), power.to_dict()]
    if "steps" in extra and report.steps is not None:
        found["steps"] = [str(report.steps), report.steps.to_dict()]
    return found
