"""The mood of headlines that come many at a time: each text is scored once."""

import pandas as pd

from ingestion.sources.headlines.scores import Scorer, open_scorer


def scored(rows: pd.DataFrame, scorer: Scorer | None = None) -> pd.DataFrame:
    """Return the rows with the columns `score` and `scorer`.

    Parameters
    ----------
    rows
        With a column `headline`; a null has no score.
    scorer
        None takes the default of `headlines.scores`.

    Raises
    ------
    ConfigurationError
        If the scorer cannot be made, or gives anything but a number of -1 to 1 a text.
    """
    giver = scorer or open_scorer()
    texts = rows["headline"].dropna().unique().tolist()
    scores = dict(zip(texts, giver(texts) if texts else [], strict=True))
    score = rows["headline"].map(scores).astype("float64")
    return rows.assign(score=score, scorer=giver.name)
