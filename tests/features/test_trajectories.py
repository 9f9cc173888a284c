import numpy as np
from lines import MODEL, several
from lnrisk.features.posterior import posterior
from lnrisk.features.trajectories import shrunken_dictionary, shrunken_features


def frame(values, given, month):
    import pandas as pd
    from lnrisk.features.summaries import STATISTICS

    columns = {
        f"{name}:{part}": values[name][:, i] for name in values for i, part in enumerate(STATISTICS)
    }
    return pd.DataFrame({**columns, "started_with_cni": given, "landmark_month": month})


def test_a_patient_alone_has_the_same_bits_as_in_company():
    statistics = several()
    whole = frame({"log_upcr": statistics}, np.tile([0.0, 1.0], 20), 2.76)
    together = shrunken_features([MODEL], whole)
    for row in range(len(whole)):
        alone = shrunken_features([MODEL], whole.iloc[[row]])
        for feature, values in together.items():
            assert alone[feature][0] == values[row] or np.isnan(values[row])


def test_probabilities_of_a_fall_are_those_of_draws_from_the_posterior():
    whole = frame({"log_upcr": several(3)}, 0.0, 2.76)
    made = {f.name: v for f, v in shrunken_features([MODEL], whole).items()}
    known = posterior(MODEL, several(3), np.zeros((40, 1)), np.full(40, 2.76))
    draws = np.random.default_rng(1).normal(known.change, known.change_sd, (20_000, 40))
    for percent, ratio in (("25", 0.75), ("50", 0.5)):
        share = (np.exp(draws) > ratio).mean(axis=0)
        np.testing.assert_allclose(made[f"upcr_fall_below_{percent}"], share, atol=0.015)
    assert (made["upcr_fall_below_25"] <= made["upcr_fall_below_50"]).all()


def test_the_dictionary_names_what_is_made_in_order():
    from dataclasses import replace

    models = [MODEL, replace(MODEL, name="egfr")]
    whole = frame({"log_upcr": several(1), "egfr": several(2)}, 0.0, 2.76)
    assert tuple(shrunken_features(models, whole)) == shrunken_dictionary(["log_upcr", "egfr"])
    for feature in shrunken_dictionary(["log_upcr", "egfr"]):
        assert all((feature.meaning, feature.unit, feature.table, feature.look_back))
        assert feature.formula
        assert feature.citation
