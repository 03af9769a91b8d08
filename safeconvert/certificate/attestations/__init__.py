"""What a certificate says, in forms that other tools read: one standard a module.

Each takes a `Certified` (a certificate whose target was hashed again just before) and writes one file. Nothing is claimed
that the certificate does not say.
"""
