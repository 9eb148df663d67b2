"""Settings that change no result: what a run is called, where it lies and what it reads lies, how it is watched."""

INDIFFERENT = (
    "name",
    "outputs",
    "resume",
    "data_root",
    "logger",
    "study",
    "on_failure",
    "trainer.profiler",
    "data.memory_gb",
    "data.workers",
    "data.source.cache",
)
# The same public images wherever they lie; a folder of one's own is told by its place.
PLACES = ("data.source.root", "data.source.download")
