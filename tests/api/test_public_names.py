"""Every public name is documented with an example, and the names that code for Keras uses exist."""

import importlib
import inspect

import pytest

MODULES = (
    "activations backend callbacks config constraints dtype_policies initializers "
    "kernels layers losses metrics models ops optimizers optimizers.schedules plots random "
    "reference regularizers saving tree utils"
)

# Modules that need another package, and its name.
EXTRAS = {
    "sklearn": "sklearn",
    "tuners": "optuna",
    "wrappers": "sklearn",
    "wrappers.scikit_learn": "sklearn",
}

NAMES = {
    "": "Sequential Model Input Variable KerasTensor Operation StatelessScope "
    "name_scope InputSpec Layer report",
    "activations": "linear relu relu6 leaky_relu elu selu celu gelu silu swish mish sigmoid "
    "hard_sigmoid tanh hard_tanh softplus softsign exponential softmax log_softmax "
    "hard_silu log_sigmoid squareplus soft_shrink hard_shrink tanh_shrink threshold "
    "glu heaviside sign get serialize deserialize",
    "backend": "clear_session get_value set_value epsilon floatx",
    "callbacks": "Callback CallbackList History EarlyStopping ModelCheckpoint "
    "LearningRateScheduler ReduceLROnPlateau CSVLogger TerminateOnNaN "
    "LambdaCallback BackupAndRestore ProgbarLogger LearningRateFinder LayerMonitor TensorBoard",
    "constraints": "Constraint MaxNorm max_norm NonNeg UnitNorm MinMaxNorm get serialize "
    "deserialize",
    "datasets": "fashion_mnist mnist cifar10 california_housing boston_housing",
    "initializers": "GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal "
    "VarianceScaling RandomNormal RandomUniform TruncatedNormal Zeros Ones Constant "
    "Orthogonal Identity get serialize deserialize",
    "layers": "Dense Input InputLayer Activation Flatten Reshape Permute RepeatVector "
    "Identity Lambda Embedding Masking ReLU LeakyReLU PReLU RReLU ELU Softmax "
    "BatchNormalization LayerNormalization UnitNormalization RMSNormalization "
    "Normalization Dropout AlphaDropout GaussianNoise GaussianDropout "
    "ActivityRegularization MCDropout MCAlphaDropout Concatenate concatenate Add "
    "add Subtract subtract Multiply multiply Average average Maximum maximum "
    "Minimum minimum Dot dot Rescaling CategoryEncoding Discretization Wrapper "
    "Layer",
    "losses": "MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError "
    "MeanSquaredLogarithmicError Huber LogCosh BinaryCrossentropy "
    "BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy "
    "SparseCategoricalCrossentropy KLDivergence Poisson Hinge SquaredHinge "
    "CategoricalHinge CosineSimilarity Tversky Dice Circle "
    "CategoricalGeneralizedCrossEntropy get serialize deserialize",
    "metrics": "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy "
    "TopKCategoricalAccuracy SparseTopKCategoricalAccuracy Precision Recall F1Score "
    "FBetaScore AUC SensitivityAtSpecificity SpecificityAtSensitivity "
    "PrecisionAtRecall RecallAtPrecision TruePositives TrueNegatives FalsePositives "
    "FalseNegatives RootMeanSquaredError R2Score CosineSimilarity LogCoshError "
    "MeanIoU Mean Sum MeanMetricWrapper PearsonCorrelation ConcordanceCorrelation "
    "get serialize deserialize",
    "models": "Model Sequential clone_model model_from_json",
    "optimizers": "SGD RMSprop Adagrad Adadelta Adam AdamW Adamax Nadam Lion Ftrl Adafactor Lamb "
    "Muon ScheduleFreeAdamW LossScaleOptimizer MultiOptimizer get serialize "
    "deserialize",
    "optimizers.schedules": ""
    "ExponentialDecay PiecewiseConstantDecay PolynomialDecay InverseTimeDecay "
    "CosineDecay CosineDecayRestarts PowerDecay OneCycle CyclicalLR",
    "random": "SeedGenerator uniform normal truncated_normal randint categorical binomial "
    "beta gamma shuffle dropout set_seed",
    "regularizers": "L1 L2 L1L2 OrthogonalRegularizer l1 l2 l1_l2 get serialize deserialize",
    "sklearn": "DNNClassifier DNNRegressor KerasClassifier KerasRegressor",
    "tree": "flatten map_structure assert_same_structure pack_sequence_as",
    "wrappers": "KerasClassifier KerasRegressor scikit_learn SKLearnClassifier SKLearnRegressor "
    "SKLearnTransformer",
    "wrappers.scikit_learn": "KerasClassifier KerasRegressor",
    "tuners": "RandomSearch GridSearch Hyperband BayesianOptimization HyperModel HyperParameters "
    "Objective Tuner Oracle Trial FailedTrialError FatalError",
    "utils": "to_categorical normalize set_random_seed get_custom_objects "
    "register_keras_serializable serialize_keras_object deserialize_keras_object "
    "PyDataset Sequence split_dataset Progbar pad_sequences plot_model",
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    module = importlib.import_module(f"dnnfast.{name}".rstrip("."))
    assert [n for n in NAMES[name].split() if not hasattr(module, n)] == []


@pytest.mark.parametrize("name", [*MODULES.split(), *EXTRAS])
def test_examples(name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    module = importlib.import_module(f"dnnfast.{name}")
    public = {n: getattr(module, n) for n in module.__all__}
    described = {n: o for n, o in public.items() if inspect.isclass(o) or inspect.isfunction(o)}
    assert [n for n, o in described.items() if ">>>" not in (o.__doc__ or "")] == []
