"""Run the command line, `python -m compare`."""

import sys

if __name__ == "__main__":
    try:
        from compare.cli import main
    except ModuleNotFoundError as error:
        print(
            f"Error: the package {error.name!r} is not installed in this Python; expected the one "
            "that `make install` sets up, .venv/bin/python.",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
    main()
