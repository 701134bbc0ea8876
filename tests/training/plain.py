"""What a model's plain data says of rows, by textbook arithmetic: none of the training's code."""

from typing import Any

import numpy as np
import xgboost

from market.targets import HORIZON


def evaluate(
    parameters: dict[str, Any], names: list[str], values: np.ndarray, task: str
) -> np.ndarray:
    """Return log-odds of UP (n_rows,), or class probabilities (n_rows, 3) of a regime."""
    kind = parameters["kind"]
    if kind in ("ensemble", "pool"):
        said = [evaluate(one, names, values, task) for one in parameters["members"]]
        return sum(weight * one for weight, one in zip(parameters["weights"], said, strict=True))
    mine = values[:, [names.index(name) for name in parameters["features"]]]
    return PLAIN[kind](parameters, mine, task)


def linear(told: dict[str, Any], values: np.ndarray, task: str) -> np.ndarray:
    standard = (values - np.array(told["mean"])) / np.array(told["scale"])
    z = standard @ np.array(told["coef"]).T + np.array(told["intercept"])
    if task == "direction":
        return z[:, 0]
    chance = np.exp(z - z.max(axis=1, keepdims=True))
    return chance / chance.sum(axis=1, keepdims=True)


def trees(told: dict[str, Any], values: np.ndarray, task: str) -> np.ndarray:
    booster = xgboost.Booster(model_file=bytearray(told["booster"].encode()))
    said = booster.predict(xgboost.DMatrix(values), output_margin=task == "direction")
    return np.asarray(said, dtype=float)


def table(told: dict[str, Any], values: np.ndarray, _task: str) -> np.ndarray:
    rows = [sum(cut <= rank for cut in told["cuts"]) for rank in values[:, 0]]
    return np.array([told["probabilities"][row] for row in rows])


def paths(told: dict[str, Any], values: np.ndarray, _task: str) -> np.ndarray:
    chances = []
    for level, high, low, *rest in values:
        logs = np.log(np.maximum(rest[:4], told["smallest"]))
        scale = np.exp(_ridge(told["volatility"], np.r_[logs, rest[4:]]))
        drift = _ridge(told["drift"], np.array(rest[4:]))
        counts = np.zeros(3)
        for path in told["paths"]:
            ahead = [
                level * np.exp(scale * (z + drift * step / HORIZON))
                for step, z in enumerate(path, 1)
            ]
            top, bottom = max(high, *ahead), min(low, *ahead)
            rank = 100 * (ahead[-1] - bottom) / (top - bottom)
            counts[(rank >= 30.0) + int(rank >= 60.0)] += 1
        chances.append(told["floor"] + (1 - 3 * told["floor"]) * counts / len(told["paths"]))
    return np.array(chances)


def _ridge(told: dict[str, Any], inputs: np.ndarray) -> float:
    standard = (inputs - np.array(told["mean"])) / np.array(told["scale"])
    return float(standard @ np.array(told["coef"]) + told["intercept"])


PLAIN = {"linear": linear, "trees": trees, "table": table, "paths": paths}
