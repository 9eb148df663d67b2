"""The forked processes of the tests end as fresh ones do: exit code, last words, threads, exit handlers."""

import os
import signal
import subprocess
import sys

import pytest
from sweeps import started

ENDINGS = {
    "nothing": "",
    "code": "import sys; sys.exit(3)",
    "words": "import sys; sys.exit('no such run')",
    "no code": "import sys; sys.exit(None)",
    "false": "import sys; sys.exit(False)",
    "minus one": "import sys; sys.exit(-1)",
    "error": "raise ValueError('lr')",
    "interrupt": "raise KeyboardInterrupt",
    "unflushed": "print('half', end='')",
    "handler": "import atexit, sys; atexit.register(print, 'left'); sys.exit(4)",
    "thread": "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('done'))).start()",
    "daemon": "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "pool": "from concurrent.futures import ThreadPoolExecutor as Pool; Pool(1).submit(print, 'done')",
    "child": "import os; os.fork() or os._exit(0); print('parent')",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_forked_process_ends_as_a_fresh_one(program, tmp_path, ending):
    file = tmp_path / "ends.py"
    file.write_text(ENDINGS[ending])
    fresh = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    forked = program(str(file), cwd=tmp_path)
    assert (forked.code, forked.out) == (fresh.returncode, fresh.stdout)
    assert forked.err.splitlines()[-1:] == fresh.stderr.splitlines()[-1:]


@pytest.mark.e2e
def test_a_signal_to_its_group_finds_it_from_the_beginning(tmp_path):
    for _ in range(20):
        with started("--version", cwd=tmp_path) as process:
            os.killpg(process.pid, signal.SIGKILL)
            assert process.wait(60) == -signal.SIGKILL
