"""What a row must be beside the others of its key: in order, and its event under one label."""

import numpy as np
import pandas as pd

from ingestion.tables.declare import Table


def in_order(table: Table, frame: pd.DataFrame) -> pd.Series:
    """Return whether each row of a partition stands in order with its neighbours; shape (n_rows,).

    The sessions of a partition are strictly monotone, from the oldest to the newest or the other
    way. Of two rows in the wrong order neither is known to have the right date, so both are out of
    order. Rows without a date, and equal dates, are other rules' business.
    """
    ordered = pd.Series(data=True, index=frame.index)
    dated = frame[frame[table.dated].notna()]
    for _, days in dated[table.dated].groupby(dated[table.partition], sort=False):
        steps = np.sign(np.diff(days.to_numpy().astype("int64")))
        wrong = np.flatnonzero(steps == (-1 if steps.sum() >= 0 else 1))
        ordered.loc[days.index[np.union1d(wrong, wrong + 1)]] = False
    return ordered


def rightly_labelled(table: Table, frame: pd.DataFrame) -> pd.Series:
    """Return whether a row is its event under the right label; shape (n_rows,).

    Of rows that name one event under several labels, that one is right whose label alone is in
    order with those of the partition's other events; where none or several are, none is known to
    be.

    Parameters
    ----------
    table
        A declaration with `alone`; the labels are the columns of its key after the first.
    frame
        Its rows, of any number of partitions, in any order.
    """
    right = pd.Series(data=True, index=frame.index)
    double = frame.duplicated(list(table.alone), keep=False)
    for key, rows in frame[double].groupby(table.partition, sort=False):
        others = frame[~double & (frame[table.partition] == key)]
        for day, same in rows.groupby(table.dated):
            before, after = others[others[table.dated] < day], others[others[table.dated] > day]
            low = max(_labels(table, before), default=())
            high = min(_labels(table, after), default=None)
            fits = [low < name and (high is None or name < high) for name in _labels(table, same)]
            right.loc[same.index] = np.array(fits) & (sum(fits) == 1)
    return right


def _labels(table: Table, rows: pd.DataFrame) -> list[tuple[float, ...]]:
    return list(rows[list(table.key[1:])].itertuples(index=False, name=None))
