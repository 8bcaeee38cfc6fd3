"""`python -m talker` is the `talker` command."""

import sys

from talker.cli import main

sys.exit(main())
