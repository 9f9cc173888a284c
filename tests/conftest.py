"""What several test modules share."""

import sys
from pathlib import Path

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how busy a machine is proves nothing
settings.load_profile("untimed")

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "features"))
sys.path.insert(0, str(Path(__file__).parent / "features" / "sources"))
sys.path.insert(0, str(Path(__file__).parent / "training"))
sys.path.insert(0, str(Path(__file__).parent / "serving"))
sys.path.insert(0, str(Path(__file__).parent / "serving" / "pages"))
sys.path.insert(0, str(Path(__file__).parent / "training" / "report"))
