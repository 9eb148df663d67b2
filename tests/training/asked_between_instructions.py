"""Run in a process of its own: Lightning asks whether SIGTERM has come, which comes before each instruction of the answer.

Prints as JSON, for each instruction, whether the answer ends the training, and whether convexp has noted the signal.
"""

import json
import signal
import sys
from contextlib import suppress

from convexp.config.compose import compose_config
from convexp.machine import interruption
from convexp.training.trainer import StepLimitedTrainer, one_device_trainer

INSTRUCTIONS = 30  # more than the answer has


def ask_with_signal_before(trainer, instruction):
    """Ask whether to end the training as Lightning does, while a signal comes before this instruction of the answer."""
    done = 0

    def trace(frame, event, argument):
        nonlocal done
        if frame.f_code is not StepLimitedTrainer.received_sigterm.fget.__code__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if done == instruction:
                signal.raise_signal(signal.SIGTERM)
            done += 1
        return trace

    sys.settrace(trace)
    try:
        return trainer.received_sigterm
    finally:
        sys.settrace(None)


trainer = one_device_trainer(compose_config("trainer=cpu"), logger=False, enable_progress_bar=False)
answers = []
for instruction in range(INSTRUCTIONS):
    with suppress(KeyboardInterrupt), interruption.deferring():
        trainer._signal_connector.register_signal_handlers()
        try:
            answers.append((ask_with_signal_before(trainer, instruction), interruption.noted()))
        finally:
            trainer._signal_connector.teardown()
    interruption.forget()
print(json.dumps(answers))
