"""Put every gradient before the judge, `python -m evaluation.foreign`."""

from compare.exit_codes import ending

if __name__ == "__main__":
    with ending():
        from evaluation.foreign.cli import main

        main()
