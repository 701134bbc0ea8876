"""The JSON of an xgboost model, checked before the library reads it.

The library trusts its own files: a child or a feature that is not there would be read from memory
that is not the model's. Only what bounds such reads is looked at here.
"""

from itertools import chain
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from forecasters.base import N_REGIMES, Task, check_lengths
from home import strict_json

LEAF: Final = -1
OBJECTIVES: Final[dict[str, Task]] = {"binary:logistic": "direction", "multi:softprob": "regime"}
Count = Annotated[str, Field(pattern=r"^[0-9]{1,6}$")]


class _Known(BaseModel):
    """The fields that are checked, among others that the library writes."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class _TreeCounts(_Known):
    num_feature: Count
    num_nodes: Count
    size_leaf_vector: Count


class _Tree(_Known):
    """A tree by node: children, the feature and value it is parted by; a leaf has its weight."""

    left_children: list[int]
    right_children: list[int]
    split_indices: list[int]
    split_conditions: list[float]
    default_left: list[int]
    split_type: list[int]
    base_weights: list[float]
    categories: Annotated[list[int], Field(max_length=0)]
    tree_param: _TreeCounts

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        nodes, width = int(self.tree_param.num_nodes), int(self.tree_param.num_feature)
        lists = (
            *(self.left_children, self.right_children, self.split_indices),
            *(self.split_conditions, self.default_left, self.split_type, self.base_weights),
        )
        check_lengths(*(("nodes", len(one), max(nodes, 1)) for one in lists))
        if int(self.tree_param.size_leaf_vector) > 1 or any(self.split_type):
            raise ValueError("allowed are trees of one number a leaf, parted by numbers")
        if not all(0 <= at < max(width, 1) for at in self.split_indices):
            raise ValueError(f"split_indices: allowed are 0 to {width - 1}")
        for at, children in enumerate(zip(self.left_children, self.right_children, strict=True)):
            # Every child stands after its parent, so that every walk ends.
            if children != (LEAF, LEAF) and not all(at < child < nodes for child in children):
                raise ValueError(f"node {at}: its children are {children} of {nodes} nodes")
        return self


class _ForestCounts(_Known):
    num_parallel_tree: Literal["1"]
    num_trees: Count


class _Forest(_Known):
    gbtree_model_param: _ForestCounts
    iteration_indptr: list[int]
    tree_info: list[int]
    trees: Annotated[list[_Tree], Field(min_length=1)]


class _GradientBooster(_Known):
    name: Literal["gbtree"]
    model: _Forest


class _ModelCounts(_Known):
    num_class: Count
    num_feature: Count
    num_target: Literal["1"]


class _Objective(_Known):
    name: Literal["binary:logistic", "multi:softprob"]


class _Learner(_Known):
    attributes: Annotated[dict[str, str], Field(max_length=0)]
    gradient_booster: _GradientBooster
    learner_model_param: _ModelCounts
    objective: _Objective


class BoosterJson(_Known):
    """A boosted forest of one tree a round and output, over numbers alone."""

    learner: _Learner

    @model_validator(mode="after")
    def _whole(self) -> Self:
        counts, forest = self.learner.learner_model_param, self.learner.gradient_booster.model
        outputs, n_trees = max(int(counts.num_class), 1), len(forest.trees)
        check_lengths(
            ("num_trees", int(forest.gbtree_model_param.num_trees), n_trees),
            *(("width", int(tree.tree_param.num_feature), self.width) for tree in forest.trees),
        )
        if forest.tree_info != list(range(outputs)) * (n_trees // outputs):
            raise ValueError(f"tree_info: allowed are rounds of {outputs} trees")
        if forest.iteration_indptr != list(range(0, n_trees + 1, outputs)):
            raise ValueError(f"iteration_indptr: allowed are rounds of {outputs} trees")
        return self

    @property
    def width(self) -> int:
        """How many features are read."""
        return int(self.learner.learner_model_param.num_feature)

    @property
    def task(self) -> Task:
        """What the objective forecasts."""
        return OBJECTIVES[self.learner.objective.name]

    def check(self, width: int) -> None:
        """Check the number of features and of classes.

        Raises
        ------
        ValueError
            If they are others.
        """
        classes = {"direction": ("0",), "regime": (str(N_REGIMES),)}[self.task]
        got = self.learner.learner_model_param.num_class
        if got not in classes:
            raise ValueError(f"booster: got {got} classes, allowed are {classes[0]}")
        check_lengths(("booster features", self.width, width))


def parse(text: str) -> BoosterJson:
    """Return what is known of a booster's JSON text.

    Raises
    ------
    ValueError
        In one line: what was got, what is allowed.
    """
    try:
        document: Any = strict_json.loads(text.encode())
    except ValueError as error:
        raise ValueError(f"booster: no JSON document: {error}") from None
    try:
        return BoosterJson.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in chain(["booster"], first["loc"]))
        raise ValueError(f"{where}: {first['msg']}") from None
