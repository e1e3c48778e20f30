"""Run the command line, `python -m compare`."""

import os
import signal

if __name__ == "__main__":
    # Until it can be answered in words, Ctrl-C just ends the process.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from compare.exit_codes import ending

    with ending():
        from compare.cli import main

        main()
