"""Every name a model file may use, exactly, and why whatever the file does with it is harmless.

Nothing is matched by prefix or pattern. A reason holds for any arguments and any state, since a stranger chooses both. What is
missing is missing on purpose or because nobody asked for it; `scipy.stats` is an example of the first: setting the state of a
distribution executes a text that the state holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from app.errors import UnsafeModel


@dataclass(frozen=True, slots=True)
class Allowed:
    """A name on the list; `found_in` is the module that has it today, where it moved since files were written.

    What is `only_named` may be held by an estimator, to be asked about pictures, but the file itself may not call it.
    """

    module: str
    name: str
    reason: str
    found_in: str
    only_named: bool

    def resolve(self) -> object:
        """Give what the name stands for, from the module on the list and nowhere else; raise UnsafeModel where it is gone."""
        try:
            return getattr(import_module(self.found_in), self.name)
        except (ImportError, AttributeError) as error:
            raise UnsafeModel(
                f"{self.module}.{self.name} was part of an older library and is gone today: "
                "save the model again with a newer one."
            ) from error


_ESTIMATOR = "An estimator of scikit-learn: making one stores its parameters, setting its state fills its attributes."
_PART = "A part of an estimator: making one stores what it is given, setting its state fills its attributes."
_NUMBERS = "Numbers of NumPy or SciPy: makes an array, a type or a scalar from the data given with it."
_RANDOM = "A generator of random numbers: holds a state and gives numbers."
_COMPILED = "A compiled part of an estimator: checks its arrays' types, holds them, and computes with them."
_SCORE = "A function of numbers that an estimator holds: it computes from arrays, and no file may call it itself."
_PLAIN = "A plain type of Python: makes a value of what it is given."
_REBUILD = "Makes an empty object of a class on this list, as old pickles do."
_OURS = "A transformer of Vitrine: making one stores its parameters; it opens only shipped backbones, by digest."
_JOBLIB = "Marks where joblib wrote an array: read by Vitrine itself, never by joblib."

# One line a module: the names in it; "-> module" says where they are found today.
_TABLE: dict[str, str] = {
    _ESTIMATOR: """
        sklearn.calibration: CalibratedClassifierCV
        sklearn.cluster._agglomerative: FeatureAgglomeration
        sklearn.cluster._birch: Birch
        sklearn.cluster._bisect_k_means: BisectingKMeans
        sklearn.cluster._kmeans: KMeans MiniBatchKMeans
        sklearn.compose._column_transformer: ColumnTransformer
        sklearn.covariance._empirical_covariance: EmpiricalCovariance
        sklearn.covariance._shrunk_covariance: LedoitWolf OAS ShrunkCovariance
        sklearn.cross_decomposition._pls: CCA PLSCanonical PLSRegression PLSSVD
        sklearn.decomposition._dict_learning: DictionaryLearning MiniBatchDictionaryLearning SparseCoder
        sklearn.decomposition._factor_analysis: FactorAnalysis
        sklearn.decomposition._fastica: FastICA
        sklearn.decomposition._incremental_pca: IncrementalPCA
        sklearn.decomposition._kernel_pca: KernelPCA
        sklearn.decomposition._lda: LatentDirichletAllocation
        sklearn.decomposition._nmf: MiniBatchNMF NMF
        sklearn.decomposition._pca: PCA
        sklearn.decomposition._sparse_pca: MiniBatchSparsePCA SparsePCA
        sklearn.decomposition._truncated_svd: TruncatedSVD
        sklearn.discriminant_analysis: LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis
        sklearn.dummy: DummyClassifier DummyRegressor
        sklearn.ensemble._bagging: BaggingClassifier
        sklearn.ensemble._forest: ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor
        sklearn.ensemble._forest: RandomTreesEmbedding
        sklearn.ensemble._gb: GradientBoostingClassifier GradientBoostingRegressor
        sklearn.ensemble._hist_gradient_boosting.gradient_boosting: HistGradientBoostingClassifier
        sklearn.ensemble._stacking: StackingClassifier
        sklearn.ensemble._voting: VotingClassifier
        sklearn.ensemble._weight_boosting: AdaBoostClassifier
        sklearn.feature_selection._from_model: SelectFromModel
        sklearn.feature_selection._rfe: RFE RFECV
        sklearn.feature_selection._sequential: SequentialFeatureSelector
        sklearn.feature_selection._univariate_selection: GenericUnivariateSelect SelectFdr SelectFpr SelectFwe SelectKBest
        sklearn.feature_selection._univariate_selection: SelectPercentile
        sklearn.feature_selection._variance_threshold: VarianceThreshold
        sklearn.frozen._frozen: FrozenEstimator
        sklearn.gaussian_process._gpc: GaussianProcessClassifier
        sklearn.impute._base: MissingIndicator SimpleImputer
        sklearn.impute._knn: KNNImputer
        sklearn.isotonic: IsotonicRegression
        sklearn.kernel_approximation: AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler
        sklearn.linear_model._base: LinearRegression
        sklearn.linear_model._coordinate_descent: Lasso LassoCV
        sklearn.linear_model._logistic: LogisticRegression LogisticRegressionCV
        sklearn.linear_model._passive_aggressive: PassiveAggressiveClassifier
        sklearn.linear_model._perceptron: Perceptron
        sklearn.linear_model._ridge: Ridge RidgeClassifier RidgeClassifierCV
        sklearn.linear_model._stochastic_gradient: SGDClassifier
        sklearn.manifold._isomap: Isomap
        sklearn.manifold._locally_linear: LocallyLinearEmbedding
        sklearn.mixture._bayesian_mixture: BayesianGaussianMixture
        sklearn.mixture._gaussian_mixture: GaussianMixture
        sklearn.model_selection._classification_threshold: FixedThresholdClassifier TunedThresholdClassifierCV
        sklearn.model_selection._search: GridSearchCV RandomizedSearchCV
        sklearn.model_selection._search_successive_halving: HalvingGridSearchCV HalvingRandomSearchCV
        sklearn.multiclass: OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier _ConstantPredictor
        sklearn.multioutput: ClassifierChain MultiOutputClassifier
        sklearn.naive_bayes: BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB
        sklearn.neighbors._classification: KNeighborsClassifier RadiusNeighborsClassifier
        sklearn.neighbors._nca: NeighborhoodComponentsAnalysis
        sklearn.neighbors._nearest_centroid: NearestCentroid
        sklearn.neighbors._unsupervised: NearestNeighbors
        sklearn.neural_network._multilayer_perceptron: MLPClassifier
        sklearn.neural_network._rbm: BernoulliRBM
        sklearn.pipeline: FeatureUnion Pipeline
        sklearn.preprocessing._data: Binarizer KernelCenterer MaxAbsScaler MinMaxScaler Normalizer PowerTransformer
        sklearn.preprocessing._data: QuantileTransformer RobustScaler StandardScaler
        sklearn.preprocessing._discretization: KBinsDiscretizer
        sklearn.preprocessing._encoders: OneHotEncoder OrdinalEncoder
        sklearn.preprocessing._function_transformer: FunctionTransformer
        sklearn.preprocessing._label: LabelBinarizer LabelEncoder
        sklearn.preprocessing._polynomial: PolynomialFeatures SplineTransformer
        sklearn.random_projection: GaussianRandomProjection SparseRandomProjection
        sklearn.semi_supervised._label_propagation: LabelPropagation LabelSpreading
        sklearn.semi_supervised._self_training: SelfTrainingClassifier
        sklearn.svm._classes: LinearSVC NuSVC SVC
        sklearn.tree._classes: DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor
    """,
    _PART: """
        sklearn._loss.link: HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit
        sklearn._loss.loss: ExponentialLoss HalfBinomialLoss HalfMultinomialLoss HalfSquaredError
        sklearn.calibration: _CalibratedClassifier _SigmoidCalibration _TemperatureScaling
        sklearn.ensemble._hist_gradient_boosting.binning: _BinMapper
        sklearn.ensemble._hist_gradient_boosting.predictor: TreePredictor
        sklearn.ensemble._gb_losses: BinomialDeviance ExponentialLoss MultinomialDeviance
        sklearn.gaussian_process._gpc: _BinaryGaussianProcessClassifierLaplace
        sklearn.gaussian_process.kernels: CompoundKernel ConstantKernel DotProduct Exponentiation Hyperparameter Matern
        sklearn.gaussian_process.kernels: PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel
        sklearn.metrics._scorer: _PassthroughScorer
        sklearn.model_selection._split: KFold StratifiedKFold
        sklearn.neural_network._stochastic_optimizers: AdamOptimizer SGDOptimizer
        sklearn.utils._bunch: Bunch
    """,
    _COMPILED: """
        _loss: CyExponentialLoss CyHalfBinomialLoss CyHalfMultinomialLoss CyHalfSquaredError -> sklearn._loss._loss
        _loss: __pyx_unpickle_CyHalfMultinomialLoss -> sklearn._loss._loss
        sklearn._loss._loss: CyExponentialLoss CyHalfBinomialLoss CyHalfMultinomialLoss CyHalfSquaredError
        sklearn._loss._loss: __pyx_unpickle_CyHalfMultinomialLoss
        sklearn.linear_model._sgd_fast: EpsilonInsensitive Hinge ModifiedHuber SquaredHinge
        sklearn.metrics._dist_metrics: ChebyshevDistance64 EuclideanDistance64 ManhattanDistance64 MinkowskiDistance64 newObj
        sklearn.neighbors._ball_tree: BallTree BallTree64 newObj
        sklearn.neighbors._kd_tree: KDTree KDTree64 newObj
        sklearn.tree._tree: Tree
    """,
    _SCORE: """
        numpy: abs exp expm1 log log1p sqrt square tanh
        scipy._lib.array_api_compat.numpy._aliases: asarray
        sklearn.feature_selection._mutual_info: mutual_info_classif
        sklearn.feature_selection._univariate_selection: chi2 f_classif
    """,
    _NUMBERS: """
        numpy: bool_ dtype float32 float64 int16 int32 int64 int8 ndarray str_ uint16 uint32 uint64 uint8
        numpy._core.multiarray: _reconstruct scalar
        numpy._core.numeric: _frombuffer
        numpy.core.multiarray: _reconstruct scalar -> numpy._core.multiarray
        numpy.core.numeric: _frombuffer -> numpy._core.numeric
        numpy.ma: MaskedArray
        numpy.ma.core: MaskedArray _mareconstruct
        scipy.interpolate._bsplines: BSpline
        scipy.sparse._csc: csc_matrix
        scipy.sparse._csr: csr_array csr_matrix
    """,
    _RANDOM: """
        numpy.random._generator: Generator
        numpy.random._mt19937: MT19937
        numpy.random._pcg64: PCG64
        numpy.random._pickle: __bit_generator_ctor __generator_ctor __randomstate_ctor
        numpy.random.bit_generator: SeedSequence __pyx_unpickle_SeedSequence
        numpy.random.mtrand: RandomState
    """,
    _PLAIN: """
        __builtin__: bytearray bytes complex dict float frozenset int list object set slice str tuple -> builtins
        _codecs: encode
        builtins: bool bytearray bytes complex dict float frozenset int list object set slice str tuple
        collections: OrderedDict
    """,
    _REBUILD: """
        copy_reg: _reconstructor -> copyreg
        copyreg: _reconstructor
    """,
    _OURS: """
        app.estimators.embedding: ImageEmbedding
        app.estimators.gradients: OrientedGradients
        app.estimators.pixels: FlatPixels
    """,
    _JOBLIB: """
        joblib.numpy_pickle: NumpyArrayWrapper
    """,
}


def _rows() -> dict[tuple[str, str], Allowed]:
    rows = {}
    for reason, table in _TABLE.items():
        for line in table.strip().splitlines():
            module, _, rest = line.strip().partition(": ")
            names, _, found_in = rest.partition(" -> ")
            for name in names.split():
                rows[module, name] = Allowed(module, name, reason, found_in or module, only_named=reason is _SCORE)
    return rows


ALLOWED = _rows()


def allowed(module: str, name: str) -> Allowed | None:
    """Give the row of a name, or None where it is not on the list."""
    return ALLOWED.get((module, name))
