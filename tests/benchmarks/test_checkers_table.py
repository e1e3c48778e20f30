"""The tables say what the stored answers say."""

from dataclasses import replace

from benchmarks.checkers import table as table_module
from benchmarks.checkers.question import NO_ANSWER
from tests.benchmarks.planted_checkers import made_up


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each line of all tables, by the first one."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_the_tables_count_what_was_answered() -> None:
    text = table_module.markdown(made_up())
    found = rows(text)
    assert found["`half-mse`"][1:] == ["0 of 2 (1 no answer)", "2 of 2"]
    assert found["`relu-at-zero`"][1:] == ["-", "1 of 1"], "said to be another valid choice"
    assert found["the sign turned"] == ["10,000", "0 of 1", "1 of 1"]
    assert found["tiny losses"][1:] == ["0 of 1", "1 of 1"]
    assert found["named the parameter"][1:] == ["-", "1 of 3"]
    assert found["named the mistake"][1:] == ["-", "2 of 4"]
    assert found["named another mistake"][1:] == ["-", "1 of 5"]
    assert found["no answer"][1:] == ["1 of 4 (1 time)", "0 of 6"]
    assert found["seconds on the clock"][1:] == ["1; 3", "1; 2"]
    assert found["CPU seconds"][1:] == ["-", "-"]
    assert "all threads together" not in text, "what is not recorded is not explained"
    assert "6 gradients, right and wrong, 2 models" in text.replace("\n", " ")
    assert "`tanh-linear`" not in found, "what was not asked has no row"


def test_seconds_of_processors_are_compared_once_they_are_recorded_of_all() -> None:
    made = made_up()
    made.contenders = {f"library.{name}": None for name in made.contenders}
    made.checks = [replace(c, contender=f"library.{c.contender}") for c in made.checks]
    assert rows(table_module.in_brief(made))["seconds, median"] == ["1", "1"]
    made.checks = [
        replace(c, cpu=None if c.verdict == NO_ANSWER else c.seconds / 2) for c in made.checks
    ]
    assert rows(table_module.in_brief(made))["CPU-seconds, median"] == ["0.5", "0.5"]
    text = table_module.markdown(made)
    assert rows(text)["CPU seconds"][1:] == ["0.5; 1.5", "0.5; 1"]
    assert "all threads together" in text
    assert "takes longer than 120 CPU seconds" in text
    made.checks[0] = replace(made.checks[0], cpu=None)
    assert rows(table_module.markdown(made))["CPU seconds"][1:] == ["-", "0.5; 1"]
    assert "CPU-seconds, median" not in rows(table_module.in_brief(made))


def test_a_part_that_was_not_asked_has_no_table() -> None:
    made = made_up()
    made.checks = [check for check in made.checks if check.part == "right"]
    text = table_module.markdown(made)
    assert "Right gradients that were called wrong" in text
    assert "planted in" not in text
    assert "[^kink]" not in text


def test_notes_are_about_those_that_were_asked() -> None:
    made = made_up()
    for alone in table_module.HOW:
        made.contenders = {alone: None, "another": "not installed"}
        text = table_module.markdown(made)
        assert [n for n, how in table_module.HOW.items() if how in text] == [alone]
        compiled = "All but `check_gradient` are given the loss compiled."
        assert (compiled in text) == (alone != "handgrad.check_gradient")


def test_a_mistake_of_another_version_has_no_name() -> None:
    """It ended the tables with a KeyError."""
    made = made_up()
    made.checks = [replace(check, what="of-tomorrow") for check in made.checks]
    assert rows(table_module.markdown(made))["named the mistake"][1:] == ["-", "-"]
