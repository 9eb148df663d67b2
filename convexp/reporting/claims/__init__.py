"""Claims of the literature, decided by the numbers of runs: from results to a verdict and a row of a table."""

from convexp.reporting.claims.results import Result, StudyResults, results_of, results_of_ensembles
from convexp.reporting.claims.rows import CLAIM_CAPTION, TITLES, ClaimRow, claim_rows, read_claims

__all__ = [
    "CLAIM_CAPTION",
    "TITLES",
    "ClaimRow",
    "Result",
    "StudyResults",
    "claim_rows",
    "read_claims",
    "results_of",
    "results_of_ensembles",
]
