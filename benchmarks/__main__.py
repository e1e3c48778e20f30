"""Run the command line, `python -m benchmarks`."""

from compare.exit_codes import ending

if __name__ == "__main__":
    with ending():
        from benchmarks.cli import main

        main()
