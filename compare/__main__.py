"""Run the command line, `python -m compare`."""

from handgrad.commands.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()
    from compare.exit_codes import run

    run("compare")
