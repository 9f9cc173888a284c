"""Plain and shrunken slopes of log UPCR against the truth, as a picture for docs/features.md."""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from lnrisk.features.pipeline import (
    DEFAULT_ANALYTES,
    features_at,
    index_days,
    trajectory_plan,
    with_trajectories,
)
from lnrisk.features.registry import read_registry
from lnrisk.training.simulate import simulate, write

PICTURE = Path(__file__).parents[1] / "docs" / "trajectories.png"
PATIENTS, SEED, DAYS_PER_MONTH = 1_500, 4, 30.4375
LIMIT = 1.5


def main() -> None:
    """Draw the picture and print both root mean square errors."""
    made = simulate(PATIENTS, SEED)
    with tempfile.TemporaryDirectory() as folder:
        write(made, Path(folder) / "registry", "parquet")
        registry = read_registry(Path(folder) / "registry")
    plain = features_at(registry, index_days(registry), 84)
    table, _ = with_trajectories(plain, trajectory_plan(DEFAULT_ANALYTES))
    months = 84 / DAYS_PER_MONTH
    truth = made.truth.set_index("patient_id").loc[registry.patient_ids]
    true = (np.log(truth["upcr_week_12"] / truth["upcr"]) / months).to_numpy()
    slopes = {
        "least-squares slope": table.frame["log_upcr_least_squares_slope"].to_numpy(),
        "shrunken": table.frame["log_upcr_shrunken_change"].to_numpy() / months,
    }
    both = np.isfinite(list(slopes.values())).all(axis=0)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), sharex=True, sharey=True)
    for axis, (name, found) in zip(axes, slopes.items(), strict=True):
        error = np.sqrt(np.mean((found - true)[both] ** 2))
        print(f"{name}: root mean square error {error:.3f} per month, {both.sum()} patients")
        axis.axline((0, 0), slope=1, color="#6b7680", linewidth=1, linestyle="--")
        axis.scatter(true[both], found[both], s=9, alpha=0.35, color="#17687f", linewidth=0)
        axis.set_title(f"{name}: RMSE {error:.2f}", loc="left")
        axis.set_xlabel("true change of ln UPCR per month")
        axis.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("estimate from the visits by week 12")
    figure.suptitle(
        f"Simulated patients with two or more UPCR values by week 12 (n = {both.sum():,})",
        x=0.01, ha="left", fontsize=10, color="#a8431a",
    )  # fmt: skip
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
