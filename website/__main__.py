"""Build the site and print its path, `python -m website`."""

import os
import signal

if __name__ == "__main__":
    # Until it can be answered in words, Ctrl-C just ends the process.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from compare.exit_codes import ending

    with ending():
        from website.cli import main

        main()
