"""Opens the chat page: python app.py."""

import sys

from reframer.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "serve")
    main()
