"""A thousand new patients get from the service what the training side computes, to 1e-12."""

import numpy as np
from client import Client
from lnrisk.features.days import NEVER
from lnrisk.features.pipeline import features_at, index_days
from lnrisk.serving.app import create_app
from lnrisk.serving.assessment import assess
from lnrisk.serving.settings import Settings
from lnrisk.training.fitting import fit_classifier
from registries import CONFIG, simulated, trained

DAY = 84


def test_the_service_gives_the_risk_of_the_training_side():
    run, people = trained(), simulated(1000, seed=7)
    classifier, _ = fit_classifier(run.cohort, run.cohort.has_outcome, CONFIG.seed)
    index = index_days(people)
    features = features_at(people, index, DAY, run.model.analytes).whole
    expected = classifier.predict_proba(features[list(run.cohort.inputs.columns)])[:, 1]

    columns = features[run.model.input_names]
    inputs = [
        {
            "name": name,
            "shape": [len(columns), 1],
            "datatype": "FP64",
            "data": [None if np.isnan(value) else value for value in column],
        }
        for name, column in columns.to_dict("list").items()
    ]
    service = Client(create_app(run.model, Settings()))
    answer = service.post("/v2/models/lnrisk/infer", json={"inputs": inputs}).json()
    outputs = {each["name"]: each["data"] for each in answer["outputs"]}
    from_columns = np.array(outputs["risk"], dtype=float)
    ok = np.array(outputs["status"]) == "ok"
    assert ok.sum() > 700
    np.testing.assert_allclose(from_columns[ok], expected[ok], rtol=0, atol=1e-12)

    answers = assess(run.model, people, np.where(index < NEVER, index + DAY, 0))
    given = [each.status == "ok" for each in answers]
    risk = np.array([each.risk for each in answers], dtype=float)
    assert sum(given) > 600
    np.testing.assert_allclose(risk[given], expected[given], rtol=0, atol=1e-12)
