"""Native files read into ONNX graphs: by tables of the frameworks' own operators, and by no exporter or converter.

What a reader does not know it refuses by name. Proofs between native files rest on readers as on the axioms.
"""
