"""Python looks for garbage less often than it would: in a process that has imported so much, that takes much of its time.

What a test leaves in circles is found later. No test may count on when it is found: one that needs it gone calls gc.collect.
"""

import gc

gc.set_threshold(50_000)  # new objects until the youngest are looked at, in place of 700
