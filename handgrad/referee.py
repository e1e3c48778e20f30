"""`python -m handgrad.referee`: list the operations that have a rule, and so can be certified."""

import textwrap

from handgrad.program.rules import GROUPS


def main() -> None:
    """Print the names of the operations, group by group."""
    for title, rules in GROUPS.items():
        names = textwrap.wrap(" ".join(sorted(rules)), width=76, break_on_hyphens=False)
        print(f"{title}:", *names, sep="\n  ", end="\n\n")


if __name__ == "__main__":
    main()
