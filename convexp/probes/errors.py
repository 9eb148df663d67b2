"""The exception by which a probe declines to measure."""


class NotApplicableError(Exception):
    """Raised by a probe that cannot measure this network or these images.

    The run continues, and its result records the message as the reason for which the probe was skipped.
    """
