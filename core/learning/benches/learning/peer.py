"""Support vector machine and extra trees of scikit-learn, with its usual settings, on numbers from a file."""
import sys
import time
import warnings

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.filterwarnings("ignore")
table = np.loadtxt(sys.argv[1])
labels, numbers = table[:, 0].astype(int), table[:, 1:]
seed = int(sys.argv[2])
parts = np.array([int(part) for part in sys.argv[3].split(",")])
models = {
    "svm": lambda: make_pipeline(
        StandardScaler(), SVC(C=2.0, probability=True, class_weight="balanced", random_state=seed)
    ),
    "extra-trees": lambda: ExtraTreesClassifier(
        400, class_weight="balanced", random_state=seed
    ),
}
scores = {}
for name, make in models.items():
    score, seconds = np.zeros(len(labels)), 0.0
    for part in range(5):
        known = parts != part
        begun = time.process_time()
        model = make().fit(numbers[known], labels[known])
        seconds += (time.process_time() - begun) / 5
        score[~known] = model.predict_proba(numbers[~known])[:, 1]
    scores[name] = (seconds, score)
scores["mean"] = (
    sum(seconds for seconds, _ in scores.values()),
    sum(score for _, score in scores.values()) / len(scores),
)
for name, (seconds, score) in scores.items():
    print(name, f"{seconds:.3f}", " ".join(f"{value:.6f}" for value in score))
