"""Is it the same function? Layout contract, comparators, discrepancy and bounds, as pure code on arrays."""
