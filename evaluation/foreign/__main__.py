"""Put every gradient before the judge, `python -m evaluation.foreign`."""

from handgrad.commands.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()
    from compare.exit_codes import run

    run("evaluation.foreign")
