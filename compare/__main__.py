"""Run the command line, `python -m compare`."""

from compare.exit_codes import ending

if __name__ == "__main__":
    with ending():
        from compare.cli import main

        main()
