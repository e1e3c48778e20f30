"""Build the site and print its path, `python -m website`."""

from handgrad.commands.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()
    from compare.exit_codes import run

    run("website")
