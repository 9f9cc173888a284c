"""What a served model is, from its own file: trained on what, for whom, reading which features.

Assumes that whoever reads the card decides with it whether the model is for their patients; how
well it does is in the validation report, which a risk must not be used without.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ..model.artifact import SCHEMA, RiskModel

__all__ = ["CardFeature", "ModelCard", "model_card"]

USE = (
    "Research. Early risk that a patient with lupus nephritis will meet the definition of "
    "refractory disease by the horizon; read beside the rule-based label, never instead of it."
)
NOT_FOR = (
    "No medical device. Not for choosing or stopping a treatment, not for patients without "
    "lupus nephritis or before induction, and not before validation where it is used."
)


@dataclass(frozen=True)
class CardFeature:
    """One feature that the model reads."""

    name: str
    meaning: str
    unit: Annotated[str, Field(description="UCUM; `ln(...)` for a logarithm.")]
    table: Annotated[str, Field(description="Table that it is made from.")]
    look_back: Annotated[str, Field(description="Days that it looks at.")]
    formula: str
    lowest: Annotated[float, Field(description="In training, in `unit`.")]
    highest: Annotated[float, Field(description="In training, in `unit`.")]


@dataclass(frozen=True)
class ModelCard:
    """The model that answers here."""

    name: str
    version: Annotated[str, Field(description="First twelve digits of `sha256`.")]
    sha256: Annotated[str, Field(description="Hash of the model's content.")]
    format: Annotated[str, Field(description="Schema of the model file.")]
    outcome: Annotated[str, Field(description="Whose outcome it learned: `rule` or `registry`.")]
    definition: str
    definition_version: str
    definition_source: str
    horizon_days: Annotated[int, Field(description="Days after the index date.")]
    landmarks: Annotated[
        tuple[int, ...], Field(description="Days after the index date that it was trained at.")
    ]
    trained_on_simulated_data: bool
    trained_on_too_few: Annotated[
        tuple[str, ...], Field(description="What the training patients were too few for.")
    ]
    training: Annotated[dict[str, Any], Field(description="Data, patients, events and more.")]
    features: tuple[CardFeature, ...]
    inputs: Annotated[
        tuple[str, ...], Field(description="Columns of `/v2/models/lnrisk/infer`, in order.")
    ]
    use: str
    not_for: str


def model_card(model: RiskModel) -> ModelCard:
    """Return the card of a model."""
    return ModelCard(
        name="lnrisk",
        version=model.version,
        sha256=model.sha256,
        format=SCHEMA,
        outcome=model.outcome,
        definition=model.definition.name,
        definition_version=model.definition.version,
        definition_source=model.definition.source,
        horizon_days=model.horizon_days,
        landmarks=model.landmarks,
        trained_on_simulated_data=model.synthetic,
        trained_on_too_few=model.too_few,
        training={k: v for k, v in model.training.items() if k not in ("support", "too_few")},
        features=tuple(
            CardFeature(
                term.name,
                term.meaning,
                term.unit,
                term.table,
                term.look_back,
                term.formula,
                term.lowest,
                term.highest,
            )
            for term in model.terms
        ),
        inputs=tuple(model.input_names),
        use=USE,
        not_for=NOT_FOR,
    )
