"""ExportedPrograms: a graph in JSON, weights, and a table of aten operators."""
