"""What the service is measured with, beside what people would use instead, on this machine in one run.

    make bench                        every section: tables on the screen, the same figures in var/bench.json
    make bench ONLY="accept relay"    some of them
    make bench PUBLISH=yes            docs/benchmarks as well
    python -m bench --quick           tries the bench itself, in a few minutes; the figures mean nothing

Broker and database server are the run's own; everything is on loopback and in a temporary folder that is removed at
the end. Load and service share the processors, so that each figure is what the whole machine does, the load included.
A section that fails says so, and the others go on.
"""

import warnings

# docs/adr says why we stay. The message begins with a line end.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
