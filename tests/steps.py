"""People who take an earlier step towards the outcome more often than they get there."""

import numpy as np
from scipy.special import expit
from sklearn.metrics import log_loss

COLUMNS = 40


def people(n, seed, along=1.0):
    """Half take the earlier step, a tenth get to the outcome; `along`: how alike the two are."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, COLUMNS))
    matter = np.linspace(1, 0.1, 10)
    step = X[:, :10] @ matter
    other = X[:, 10:20] @ matter
    risk = expit(-3.2 + along * step + (1 - along) * other)
    return X, (random.uniform(size=n) < expit(step)).astype(float), risk, random


def drawn(n, seed, along=1.0):
    X, earlier, risk, random = people(n, seed, along)
    return X, (random.uniform(size=n) < risk).astype(int), earlier


def loss(model, along):
    X, _, risk, _ = people(20_000, 99, along)
    return loss_where_known(model, X, risk)


def loss_where_known(model, X, risk):
    told = model.predict_proba(X)[:, 1]
    return log_loss(
        np.repeat([1, 0], len(X)), np.tile(told, 2), sample_weight=np.r_[risk, 1 - risk]
    )
