"""Build the page and print its path, `python -m study`."""

import os
import signal

if __name__ == "__main__":
    # Until it can be answered in words, Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from compare.exit_codes import ending

    with ending():
        from study.cli import main

        main()
