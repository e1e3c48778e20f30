"""Build the page and print its path, `python -m study`."""

from compare.exit_codes import ending

if __name__ == "__main__":
    with ending():
        from study.cli import main

        main()
