"""Run the command line, `python -m benchmarks`."""

import sys

if __name__ == "__main__":
    try:
        from benchmarks.cli import main
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
    main()
