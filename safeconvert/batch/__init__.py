"""Many conversions: a manifest of jobs, a ledger that outlives the process, and the engine that runs them."""
