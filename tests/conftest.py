"""What every test may ask for; the servers are in ``processes`` and its neighbours."""

import os
import shutil
from contextlib import suppress

pytest_plugins = ["tests.processes", "tests.postgres", "tests.redis", "tests.cluster"]

# Where the servers under test keep their databases: in memory if there is room. A disk that stands
# still for seconds, as shared ones do, has writers wait for each other longer than they may.
MEMORY_DISK, ROOM_BYTES = "/dev/shm", 1 << 30  # noqa: S108 - pytest makes folders of its own in it
with suppress(OSError):
    if shutil.disk_usage(MEMORY_DISK).free > ROOM_BYTES and os.access(MEMORY_DISK, os.W_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY_DISK)
