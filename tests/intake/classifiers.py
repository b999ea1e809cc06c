"""Every classifier of scikit-learn and the usual pipelines, fitted on its digits: what an import must be able to take."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF, PCA, FastICA, KernelPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold, chi2, f_classif
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

_ROWS = 600
_FEW_ROWS = 150
# These tell two classes apart, and no more.
_BINARY = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}
# Slow to fit on many rows.
_ON_FEW = {"GaussianProcessClassifier"}
# These answer several questions at once about a picture, which a page that says "This image is a Cat" cannot show.
SEVERAL_ANSWERS = {"ClassifierChain", "MultiOutputClassifier"}


def _linear() -> LogisticRegression:
    return LogisticRegression(max_iter=300)


def _forest(trees: int = 20) -> RandomForestClassifier:
    return RandomForestClassifier(trees, random_state=0)


_WRAPPERS: dict[str, Callable[[type[Any]], Any]] = {
    # Smaller than their defaults: here they are to be imported, not to be good.
    "AdaBoostClassifier": lambda kind: kind(n_estimators=10, random_state=0),
    "CalibratedClassifierCV": lambda kind: kind(cv=3),
    # Levels that none of the photos had, and photos without a neighbour, raise an error unless it is told what to do with them.
    "CategoricalNB": lambda kind: kind(min_categories=2),
    "RadiusNeighborsClassifier": lambda kind: kind(radius=2.5, outlier_label="most_frequent"),
    "ExtraTreesClassifier": lambda kind: kind(30, random_state=0),
    "GradientBoostingClassifier": lambda kind: kind(n_estimators=5, random_state=0),
    "HistGradientBoostingClassifier": lambda kind: kind(max_iter=5),
    "LogisticRegressionCV": lambda kind: kind(Cs=2, cv=2, max_iter=200, l1_ratios=(0,), use_legacy_attributes=False),
    "MLPClassifier": lambda kind: kind((24,), max_iter=120, random_state=0),
    "RandomForestClassifier": lambda kind: kind(30, random_state=0),
    # Of 64 pixels some never change, so that no class has a covariance of full rank.
    "QuadraticDiscriminantAnalysis": lambda kind: kind(solver="eigen", shrinkage=0.5),
    "StackingClassifier": lambda kind: kind([("linear", _linear()), ("tree", DecisionTreeClassifier(random_state=0))], cv=3),
    "VotingClassifier": lambda kind: kind([("linear", _linear()), ("tree", DecisionTreeClassifier(random_state=0))]),
    "SelfTrainingClassifier": lambda kind: kind(_linear()),
    **dict.fromkeys(
        (
            "ClassifierChain",
            "FixedThresholdClassifier",
            "MultiOutputClassifier",
            "OneVsOneClassifier",
            "OneVsRestClassifier",
            "OutputCodeClassifier",
            "TunedThresholdClassifierCV",
        ),
        lambda kind: kind(_linear()),
    ),
}

PIPELINES: dict[str, Callable[[], Any]] = {
    "standard scaler, logistic regression": lambda: make_pipeline(StandardScaler(), _linear()),
    "min-max scaler, logistic regression": lambda: make_pipeline(MinMaxScaler(), _linear()),
    "robust scaler, logistic regression": lambda: make_pipeline(RobustScaler(), _linear()),
    "max-abs scaler, linear SVC": lambda: make_pipeline(MaxAbsScaler(), LinearSVC()),
    "normalizer, neighbours": lambda: make_pipeline(Normalizer(), KNeighborsClassifier()),
    "power transformer, logistic regression": lambda: make_pipeline(PowerTransformer(), _linear()),
    "quantile transformer, logistic regression": lambda: make_pipeline(QuantileTransformer(n_quantiles=50), _linear()),
    "binarizer, Bernoulli": lambda: make_pipeline(Binarizer(threshold=0.5), BernoulliNB()),
    "bins, logistic regression": lambda: make_pipeline(
        KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"), _linear()
    ),
    "PCA, SVC": lambda: make_pipeline(PCA(20, random_state=0), SVC()),
    "PCA, calibrated SVC": lambda: make_pipeline(PCA(20, random_state=0), CalibratedClassifierCV(SVC(), ensemble=False)),
    "scaler, PCA, random forest": lambda: make_pipeline(StandardScaler(), PCA(20, random_state=0), _forest()),
    "kernel PCA, logistic regression": lambda: make_pipeline(KernelPCA(20), _linear()),
    "truncated SVD, logistic regression": lambda: make_pipeline(TruncatedSVD(20, random_state=0), _linear()),
    "NMF, logistic regression": lambda: make_pipeline(NMF(10, max_iter=400, random_state=0), _linear()),
    "ICA, logistic regression": lambda: make_pipeline(FastICA(15, random_state=0, whiten="unit-variance"), _linear()),
    "k best by chi2, logistic regression": lambda: make_pipeline(SelectKBest(chi2, k=30), _linear()),
    "k best by F, scaler, extra trees": lambda: make_pipeline(
        SelectKBest(f_classif, k=30), StandardScaler(), ExtraTreesClassifier(20, random_state=0)
    ),
    "variance threshold, logistic regression": lambda: make_pipeline(VarianceThreshold(), _linear()),
    "selected by trees, neighbours": lambda: make_pipeline(SelectFromModel(_forest(10)), KNeighborsClassifier()),
    "recursive elimination, logistic regression": lambda: make_pipeline(
        RFE(_linear(), n_features_to_select=30, step=10), _linear()
    ),
    "Nystroem, SGD": lambda: make_pipeline(Nystroem(n_components=50, random_state=0), SGDClassifier(random_state=0)),
    "random projection, neighbours": lambda: make_pipeline(
        GaussianRandomProjection(20, random_state=0), KNeighborsClassifier()
    ),
    "k-means distances, logistic regression": lambda: make_pipeline(KMeans(10, n_init=1, random_state=0), _linear()),
    "discriminants, neighbours": lambda: make_pipeline(LinearDiscriminantAnalysis(n_components=5), KNeighborsClassifier()),
    "polynomial features, logistic regression": lambda: make_pipeline(
        SelectKBest(f_classif, k=10), PolynomialFeatures(), StandardScaler(), _linear()
    ),
    "union of PCA and scaler": lambda: make_pipeline(
        FeatureUnion([("pca", PCA(5, random_state=0)), ("scaler", StandardScaler())]), _linear()
    ),
    "columns apart": lambda: make_pipeline(
        ColumnTransformer([("upper", StandardScaler(), slice(0, 32)), ("lower", MinMaxScaler(), slice(32, 64))]), _linear()
    ),
    "square root, logistic regression": lambda: make_pipeline(FunctionTransformer(np.sqrt), _linear()),
    "calibrated forest": lambda: CalibratedClassifierCV(_forest(10), cv=3),
    "calibrated by isotonic regression": lambda: CalibratedClassifierCV(LinearSVC(), method="isotonic", cv=3),
    "grid search's winner": lambda: GridSearchCV(_linear(), {"C": [0.1, 1.0]}, cv=3),
    "grid search over a pipeline": lambda: GridSearchCV(
        Pipeline([("scaler", StandardScaler()), ("svc", SVC())]), {"svc__C": [1.0, 10.0]}, cv=3
    ),
    "bagged trees": lambda: BaggingClassifier(DecisionTreeClassifier(max_depth=6), n_estimators=10, random_state=0),
    "bagged SVC": lambda: BaggingClassifier(SVC(), n_estimators=3, random_state=0),
    "boosted stumps": lambda: AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=10, random_state=0),
    "soft vote": lambda: VotingClassifier([("linear", _linear()), ("forest", _forest(10))], voting="soft"),
    "scaler, random forest": lambda: make_pipeline(StandardScaler(), _forest()),
    "scaler, gradient boosting": lambda: make_pipeline(
        MinMaxScaler(), GradientBoostingClassifier(n_estimators=5, random_state=0)
    ),
    "scaler, histogram boosting": lambda: make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=5)),
    "SVC with probabilities of pairs": lambda: SVC(decision_function_shape="ovo"),
    "SGD with log loss": lambda: SGDClassifier(loss="log_loss", random_state=0),
    "network of two layers": lambda: make_pipeline(StandardScaler(), MLPClassifier((32, 16), max_iter=150, random_state=0)),
    "neighbours by cosine": lambda: KNeighborsClassifier(metric="cosine"),
    "neighbours by distance in a tree": lambda: KNeighborsClassifier(weights="distance", algorithm="kd_tree"),
}


@dataclass(frozen=True)
class Case:
    """One classifier to import: its name, and what makes it, unfitted."""

    name: str
    make: Callable[[], Any]


def cases() -> Iterator[Case]:
    """Give every classifier of scikit-learn and every pipeline above."""
    for name, kind in all_estimators("classifier"):
        wrap = _WRAPPERS.get(name)
        yield Case(name, partial(wrap, kind) if wrap else kind)
    for name, make in PIPELINES.items():
        yield Case(name, make)


def fitted(case: Case) -> Any:
    """Give the classifier of a case, fitted on digits with levels from 0 to 1."""
    rows, labels = digits()
    if case.name in _BINARY:
        rows, labels = rows[labels < 2], labels[labels < 2]
    if case.name in _ON_FEW:
        rows, labels = rows[:_FEW_ROWS], labels[:_FEW_ROWS]
    if case.name in SEVERAL_ANSWERS:
        labels = np.column_stack([labels % 2, labels > 4]).astype(int)
    with warnings.catch_warnings():
        # Of convergence and of names that will go: what is told here is not whether a classifier is good.
        warnings.simplefilter("ignore")
        return case.make().fit(rows, labels)


def digits() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give some of scikit-learn's digits, levels from 0 to 1, and their labels."""
    data = load_digits()
    return data.data[:_ROWS] / 16, data.target[:_ROWS]
