"""``python -m reframer``: the same as the command ``reframer``."""

from reframer.cli import main

if __name__ == "__main__":
    main()
