"""Running models on inputs: the worker's side (`feeding`) and the parent's side (`session`)."""
