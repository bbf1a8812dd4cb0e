"""What the service is measured with: one run, on this machine, with a broker and databases of its own.

    python -m bench        a table on the screen, the same figures in var/bench.json

Everything is on loopback and in a temporary folder that is removed at the end. Load and service share the processors,
so that each figure is what the whole machine does, the load included.
"""

import warnings

# docs/adr says why we stay. The message begins with a line end.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
