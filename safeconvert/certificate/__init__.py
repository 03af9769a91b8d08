"""The certificate: an in-toto statement in a DSSE envelope, beside the target that it speaks of."""
