"""`python -m handgrad`."""

from handgrad.commands.process import prepared

if __name__ == "__main__":
    with prepared():
        from handgrad.cli import main

        main()
