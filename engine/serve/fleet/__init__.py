"""The processes of a server: a supervisor, and workers that share its port. A worker that ends or hangs is replaced.

supervisor  the main process: one loop, signals, start and stop
changes     which release is active, and what changes it, one after the other
crew        all workers, moved from release to release as one
place       one of them, as the supervisor sees it
holding     the port and the state, for one server at a time
http        metrics and probes
worker      the process that answers calls
operations  what operators ask there
messages    what the two sides say to each other
signals     signals and threads wake a loop
"""
