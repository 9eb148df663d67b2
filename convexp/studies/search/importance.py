"""How much of the variation of the value each setting explains."""

from importlib.util import find_spec

import optuna
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

MIN_TRIALS = 8  # fewer say next to nothing
FANOVA, PED_ANOVA = "fANOVA (random forest)", "PED-ANOVA"


def importance(study: optuna.Study) -> tuple[dict[str, float], str | None]:
    """Return the importance of each setting, the largest first, and how it was found.

    Nothing is returned if there are too few trials, or all have the same value.
    """
    values = [trial.value for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))]
    if len(values) < MIN_TRIALS or len(set(values)) < 2:
        return {}, None
    forest = find_spec("sklearn") is not None
    evaluator = FanovaImportanceEvaluator(seed=0) if forest else PedAnovaImportanceEvaluator()
    try:
        found = get_param_importances(study, evaluator=evaluator)
    except (ValueError, RuntimeError):  # no variation that a setting could explain
        return {}, None
    return {key: float(value) for key, value in found.items()}, FANOVA if forest else PED_ANOVA
