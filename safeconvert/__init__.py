"""safeconvert: convert deep-learning models with the real converters, and prove the target is still the same model.

The package imports no deep-learning framework: frameworks and converters run in worker processes (`isolation`).
"""

__version__ = "0.1.0"
