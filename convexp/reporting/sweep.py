"""What happens after the last run of a sweep."""

from typing import Any
class SweepSummary: 
    def __init__(self)->None: ...
    def on_run_start(self,**k): ...
    on_run_end=on_multirun_start=on_multirun_end=on_job_start=on_job_end=on_run_start
