"""What several test modules share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "training"))
sys.path.insert(0, str(Path(__file__).parent / "serving"))
sys.path.insert(0, str(Path(__file__).parent / "serving" / "pages"))
sys.path.insert(0, str(Path(__file__).parent / "training" / "report"))
