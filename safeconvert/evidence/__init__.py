"""What lies beside a certificate for a person to look at: errors along the layers, inputs that disagreed, regions.

The certificate holds its digest. It is written where something differed; a certificate alone is enough for `check`.
"""
