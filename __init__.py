"""Early, calibrated risk of refractory lupus nephritis beside the rule-based label.

Data flows one way: ``features`` <- ``model`` <- ``training``, ``serving``.
"""

__version__ = "0.1.0"
