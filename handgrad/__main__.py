"""`python -m handgrad`."""

from handgrad.commands.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()
    from handgrad.commands.process import prepared

    with prepared():
        from handgrad.cli import main

        main()
