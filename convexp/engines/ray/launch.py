"""Launches the runs of a sweep as tasks of Ray."""

import pickle
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.hydra_job import JobRunner, jobs_of
from convexp.engines.ray.checks import check_ray, lacking
from convexp.engines.ray.driver import Driver
from convexp.engines.ray.messages import Done, Job, Lost, place_of_this_process
from convexp.engines.ray.settings import RaySettings
from convexp.engines.results import JobResult, collect
from convexp.terminal import console


def join_cluster(settings: RaySettings, config: DictConfig) -> Driver | None:
    """Check the settings, and connect to the cluster that they name. A Ray of our own is started once it has to do something.

    Args:
        settings: The settings of the launcher.
        config: The configuration of the sweep.

    Raises:
        ConfigError: if a setting is wrong, or no Ray answers at the address.
    """
    check_ray(settings, config)
    if settings.address is None:
        return None
    driver = Driver(settings)
    if asked := lacking(settings, driver.connect().nodes):
        console.out.print(f"no node of the Ray cluster has {asked} now: the runs wait until one joins it", markup=False)
    return driver


def launch(
    settings: RaySettings,
    driver: Driver | None,
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Run one job for each list of overrides.

    Args:
        settings: The settings of the launcher.
        driver: A connection to a cluster; None to start a Ray on this machine.
        context: Hydra's context.
        task: The function that does one run.
        config: The configuration of the sweep.
        overrides: The overrides of each job.
        first: Number of the first job.

    Returns:
        What each job returned, in their order; nothing of one that was lost.

    Raises:
        ConvexpError: if Ray cannot be started, or the connection to it is lost.
    """
    setup_globals()
    jobs = jobs_of(context, config, overrides, first)
    if driver is None:
        driver = Driver(settings)
        driver.connect()
    with closing(driver):
        work = pickle.dumps(JobRunner.of_this_process(context, task))
        driver.send((work, place_of_this_process(settings.env)))
        return collect(run_on_ray(driver, settings, jobs), jobs, config)


def run_on_ray(driver: Driver, settings: RaySettings, jobs: Sequence[Callable[[], DictConfig]]) -> Generator[JobResult]:
    """Do the jobs, and yield the results in the order in which they end. Leaving the iteration interrupts those that go on.

    A run that is lost, with its process or its node, is started again at most ``settings.max_retries`` times.

    Args:
        driver: The connection to Ray.
        settings: The settings of the launcher.
        jobs: Functions that compose the configuration of each job; each is called shortly before the job is sent.
    """
    pending = (_job(number, make()) for number, make in enumerate(jobs))
    sent: dict[int, Job] = {}
    try:
        while True:
            while len(sent) < settings.in_flight and (following := next(pending, None)):
                sent[following.number] = following
                driver.send(following)
            if not sent:
                return
            message: Done | Lost = driver.receive()
            job = sent.pop(message.number)
            if isinstance(message, Done):
                yield pickle.loads(message.answer)
            elif message.again and job.attempt < settings.max_retries:
                sent[job.number] = again = replace(job, attempt=job.attempt + 1)
                driver.send(again)
                _say_again(again, message.reason, settings.max_retries)
            else:
                yield JobResult(job.number, lost=message.reason)
    finally:
        if sent:
            _interrupt(driver, sent)


def _job(number: int, config: DictConfig) -> Job:
    return Job(number, config.hydra.sweep.subdir, 0, pickle.dumps(config))


def _say_again(job: Job, reason: str, retries: int) -> None:
    with console.above_progress_bar():
        console.out.print(f"{job.name}: {reason}; started again ({job.attempt} of {retries})", markup=False)


def _interrupt(driver: Driver, sent: dict[int, Job]) -> None:
    """Interrupt the runs, and wait until they have ended."""
    driver.cancel()
    while sent:
        sent.pop(driver.receive().number)
