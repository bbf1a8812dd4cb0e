"""Benchmarks of the service, and of what people would use instead, on this machine in one run.

    make bench                        run every section: print tables, and write the same figures to var/bench.json
    make bench ONLY="accept relay"    run some of them
    make bench PUBLISH=yes            write docs/benchmarks as well
    python -m bench --quick           try the benchmarks themselves in a few minutes; the figures mean nothing

The broker and the database server belong to the run. Everything is on loopback and in a temporary folder that is
removed at the end. The load and the service share the processors: each figure is what the whole machine does,
including the load. A section that fails is reported, and the others continue.
"""

import warnings

# docs/adr explains why the service stays on eventlet. The message begins with a line end.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
